import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countedUp } from '../../../src/domain/matching/columns/order.ts';
import { giveBack } from '../../../src/domain/matching/columns/scratch.ts';
import { type TextColumn, textColumnOf } from '../../../src/domain/matching/columns/text-column.ts';
import { joinKeys, type Key } from '../../../src/domain/matching/join/keys.ts';
import {
  type KeyColumn,
  keyAt,
  mostIn,
  partitionBitsFor,
  recordsOf,
  slotsFor,
  widthsOf,
} from '../../../src/domain/matching/join/records.ts';
import { everyPair, sorted } from './pairs.ts';

const columnOf = (texts: readonly string[]): TextColumn => textColumnOf(texts.length, (row) => texts[row]);

describe('the hash join', () => {
  const joined = (keys: readonly Key[], ours: number, theirs: number, pairsMax: number): number[][] => {
    const pairs: number[][] = [];
    joinKeys(keys, countedUp(ours), countedUp(theirs), {
      pair: (one, other) => pairs.push([one, other]),
      block: (sources, targets) => {
        expect(sources.length * targets.length).toBeGreaterThan(pairsMax);
        for (const one of sources) for (const other of targets) pairs.push([one, other]);
      },
      pairsMax,
    });
    return pairs;
  };

  // Texts of one another's beginning, of every length around a word of four bytes, and of several bytes per letter.
  const text = fc.oneof(
    fc.constantFrom('', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcd\u0000', 'abcÿ', 'grün', '日本', '🚚'),
    fc.nat({ max: 90 }).map((length) => 'x'.repeat(length)),
    fc.string({ maxLength: 3 }),
  );
  const row = fc.record({ text, other: text, code: fc.integer({ min: 0, max: 3 }) });
  const rows = fc.array(row, { maxLength: 40 });
  type Rows = readonly { readonly text: string; readonly other: string; readonly code: number }[];
  const texts = (all: Rows, of: 'text' | 'other'): KeyColumn => ({ kind: 'texts', texts: columnOf(all.map((one) => one[of])) });
  const codes = (all: Rows): KeyColumn => ({ kind: 'codes', codes: Int32Array.from(all, ({ code }) => code), absent: 0 });

  test('finds the same where a side is so large that it is joined in parts', () => {
    const count = 400_000;
    const ours = Int32Array.from({ length: count }, (_, row) => row);
    // Every third has a partner, in another order, and one of a thousand two.
    const theirs = Int32Array.from({ length: count }, (_, row) => (row % 1_000 === 0 ? 3 : 3 * ((row * 7) % count)));
    const key: Key = {
      source: { kind: 'codes', codes: ours, absent: 0 },
      target: { kind: 'codes', codes: theirs, absent: 0 },
    };
    const partners = new Map<number, number>();
    for (const code of theirs) if (code > 0 && code < count) partners.set(code, (partners.get(code) ?? 0) + 1);
    let found = 0;
    let blocks = 0;
    joinKeys([key], countedUp(count), countedUp(count), {
      pair: (one, other) => {
        if (one === 0 || ours[one] !== theirs[other]) throw new Error(`${one} was paired with ${other}`);
        found += 1;
      },
      block: (sources, targets) => {
        expect([...sources]).toEqual([3]);
        expect(targets.length).toBe(partners.get(3));
        blocks += 1;
      },
      pairsMax: 64,
    });
    expect(blocks).toBe(1);
    expect(found).toBe([...partners].reduce((sum, [code, times]) => sum + (code === 3 ? 0 : times), 0));
  });

  test('finds exactly the rows that agree in every key, however long, and never what is absent', () => {
    fc.assert(
      fc.property(rows, rows, fc.integer({ min: 1, max: 5 }), (ours, theirs, pairsMax) => {
        const key = { source: texts(ours, 'text'), target: texts(theirs, 'text') };
        const second = { source: texts(ours, 'other'), target: texts(theirs, 'other') };
        const code = { source: codes(ours), target: codes(theirs) };
        const agree = (one: number, other: number) => ours[one]?.text !== '' && ours[one]?.text === theirs[other]?.text;
        const agreeAll = (one: number, other: number) =>
          agree(one, other) &&
          ours[one]?.other !== '' &&
          ours[one]?.other === theirs[other]?.other &&
          ours[one]?.code !== 0 &&
          ours[one]?.code === theirs[other]?.code;
        expect(sorted(joined([key], ours.length, theirs.length, pairsMax))).toEqual(sorted(everyPair(ours.length, theirs.length, agree)));
        expect(sorted(joined([code, second, key], ours.length, theirs.length, pairsMax))).toEqual(
          sorted(everyPair(ours.length, theirs.length, agreeAll)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('goes on finding them over many partitions', () => {
    const count = 20_000;
    const numbers = Array.from({ length: count }, (_, index) => `REF-${(index * 7_919) % count}`);
    const key = {
      source: { kind: 'texts', texts: columnOf(numbers) },
      target: { kind: 'texts', texts: columnOf(numbers.toReversed()) },
    } as const;
    const pairs = joined([key], count, count, 64);
    expect(pairs).toHaveLength(count);
    expect(pairs.every(([one = 0, other = 0]) => other === count - 1 - one)).toBe(true);
  });
});

describe('records with their keys', () => {
  const texts = (...all: readonly string[]): KeyColumn => ({ kind: 'texts', texts: columnOf(all) });
  const codes = (...all: readonly number[]): KeyColumn => ({ kind: 'codes', codes: Int32Array.from(all), absent: 0 });

  test('are as wide as the longest texts need, as long as sixteen words suffice', () => {
    expect(
      widthsOf([
        [texts('a'), texts('abcd', '')],
        [texts('abcd'), texts('abcde')],
        [codes(1), codes(2)],
      ]),
    ).toEqual([1, 2, 1]);
    const of = (...lengths: readonly number[]) => widthsOf(lengths.map((length) => [texts('x'.repeat(length))]));
    expect(of(64)).toEqual([16]);
    expect(of(65)).toEqual([0]);
    expect(of(60, 5, 4)).toEqual([15, 0, 1]);
    expect(of(4, 64, 60)).toEqual([1, 0, 15]);
  });

  test('lie in partitions of some thousands, and tables are at most half full', () => {
    expect([0, 1, 2_048, 2_049, 4_096, 4_097, 2 ** 30].map(partitionBitsFor)).toEqual([0, 0, 0, 1, 1, 2, 12]);
    expect([0, 4, 5, 8, 9, 1_000].map(slotsFor)).toEqual([8, 8, 16, 16, 32, 2_048]);
    expect(mostIn(Uint32Array.of(0, 3, 3, 10, 12))).toBe(7);
  });

  test('are those of rows that have every key, each beside its own, and equal keys lie in one partition', () => {
    const names = Array.from({ length: 3_000 }, (_, row) => (row % 10 === 0 ? '' : `n${Math.floor(row / 4)}`));
    const columns = [texts(...names), codes(...names.map((_, row) => row % 7))];
    const { words, starts } = recordsOf(columns, [2, 1], countedUp(names.length), 2);
    const found = Array.from({ length: starts.at(-1) as number }, (_, record) => {
      const at = record * (keyAt + 3);
      const partition = starts.findIndex((_start, index) => record < (starts[index + 1] as number));
      return { row: words[at] as number, partition, key: words.slice(at + 1, at + keyAt + 3).join(' ') };
    });
    const expected = names.flatMap((name, row) => (name === '' || row % 7 === 0 ? [] : [row]));
    expect(found.map(({ row }) => row).sort((one, other) => one - other)).toEqual(expected);
    const saidBy = new Map(found.map(({ row, partition, key }) => [`${names[row]} ${row % 7}`, `${partition} ${key}`]));
    expect(new Set(saidBy.values()).size).toBe(saidBy.size);
    for (const { row, partition, key } of found) expect(saidBy.get(`${names[row]} ${row % 7}`)).toBe(`${partition} ${key}`);
    for (const [index, start] of [...starts].slice(0, 4).entries()) {
      const size = (starts[index + 1] as number) - start;
      expect(size > expected.length / 6 && size < expected.length / 3).toBe(true);
    }
    giveBack(words);
  });
});
