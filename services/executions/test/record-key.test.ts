import { describe, expect, test } from 'vitest';
import { recordKey, sourcesIn } from '../src/infrastructure/postgres/record-key.ts';

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
          const key = recordKey({ outcome, line: 3, position: 7, source, target });
          expect([sources, targets, sourcesIn(key, [...source, ...target])]).toEqual([sources, targets, sources]);
        }
  });

  test('is not mistaken where both sides call theirs the same', () => {
    const [source, target] = [named('x', 2), named('x', 3)];
    expect(sourcesIn(recordKey({ outcome: 'ambiguous', line: null, position: 0, source, target }), [...source, ...target])).toBe(2);
  });
});
