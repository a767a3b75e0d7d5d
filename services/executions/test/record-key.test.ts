import { describe, expect, test } from 'vitest';
import { keyLengthMax, keyOfOne, recordKey, sourcesIn } from '../src/infrastructure/postgres/open-items/record-key.ts';

type Records = readonly Readonly<Record<string, unknown>>[];
const named = (side: string, count: number): Records =>
  Array.from({ length: count }, (_, index) => ({ id: `${side}, ${index}`, amount: '1.00' }));
const anonymous = (side: string, count: number): Records =>
  Array.from({ length: count }, (_, index) => ({ reference: side, amount: `${index}.00` }));

describe('the key of an exception', () => {
  test('says which of its records stand in the source', () => {
    const sizes = [
      [1, 0],
      [0, 1],
      [1, 1],
      [3, 1],
      [1, 3],
      [2, 2],
      [90, 1],
      [1, 90],
    ] as const;
    for (const make of [named, anonymous])
      for (const [sources, targets] of sizes)
        for (const outcome of ['mismatched', 'invalid']) {
          const [source, target] = [make('s', sources), make('t', targets)];
          for (const occurrence of [null, 12]) {
            const key = recordKey({ outcome, line: 3, position: 7, occurrence, source, target });
            expect([sources, targets, sourcesIn(key, [...source, ...target])]).toEqual([sources, targets, sources]);
          }
        }
  });

  test('is not mistaken where both sides call theirs the same', () => {
    const [source, target] = [named('x', 2), named('x', 3)];
    const key = recordKey({ outcome: 'ambiguous', line: null, position: 0, occurrence: null, source, target });
    expect(sourcesIn(key, [...source, ...target])).toBe(2);
  });

  test('is that of no other record, whatever an id has in it and however much is said', () => {
    const long = 'x'.repeat(2_000);
    const keyOf = (source: Records, target: Records = []) =>
      recordKey({ outcome: 'mismatched', line: null, position: 0, occurrence: null, source, target });
    const keys = [
      keyOf([{ id: 'a' }], [{ id: 'b' }]),
      keyOf([{ id: 'a|target:b' }]),
      keyOf([{ id: 'a' }, { id: 'b' }]),
      keyOf([{ id: 'a,b' }]),
      keyOf([{ id: 'a%2Cb' }]),
      keyOf([{ reference: `${long}1` }]),
      keyOf([{ reference: `${long}2` }]),
      keyOf([...named('s', 200), { id: 'one' }]),
      keyOf([...named('s', 200), { id: 'other' }]),
    ];
    expect(new Set(keys).size).toBe(keys.length);
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThanOrEqual(keyLengthMax);
  });

  test('tells rows of one id apart, also from an id that looks as if it were numbered', () => {
    const keyOf = (id: string, occurrence: number | null) =>
      recordKey({ outcome: 'invalid', line: 3, position: 0, occurrence, source: [{ id }], target: [] });
    const ids = ['a', 'a#2', 'a|', 'a|#2', 'x'.repeat(2_000)];
    const keys = ids.flatMap((id) => [null, 2, 3].map((occurrence) => keyOf(id, occurrence)));
    expect(new Set(keys).size).toBe(keys.length);
    expect(Math.max(...keys.map((key) => key.length))).toBeLessThanOrEqual(keyLengthMax);
    expect(keyOf('a', 1)).toBe('invalid::source:a');
    expect(keys.map((key) => sourcesIn(key, [{ id: 'a' }]))).toEqual(keys.map(() => 1));
  });

  test('has the number of a record without an id, however long that is', () => {
    for (const reference of ['cash', 'x'.repeat(2_000)]) {
      const keys = [null, 1, 2, 12].map((occurrence) => keyOfOne('source', { amount: '60.00', reference }, occurrence));
      expect(keys[1]).toBe(keys[0]);
      expect([...new Set(keys)].map((key) => [key.length <= keyLengthMax, key.replace(/.*}?(?=#)/, '')])).toEqual([
        [true, keys[0]],
        [true, '#2'],
        [true, '#12'],
      ]);
      expect(keys[3]?.replace(/#12$/, '')).toBe(keys[0]);
    }
  });
});
