import { rules, type Transform } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noDay } from '../../../src/domain/matching/batch.ts';
import { normalized, transformed } from '../../../src/domain/matching/columns/normalize.ts';
import { countedUp } from '../../../src/domain/matching/columns/order.ts';
import { giveBack } from '../../../src/domain/matching/columns/scratch.ts';
import { type TextColumn, textAt, textColumnOf } from '../../../src/domain/matching/columns/text-column.ts';
import { compileCondition } from '../../../src/domain/matching/conditions/compile.ts';
import { joinKeys, type Key } from '../../../src/domain/matching/join/keys.ts';
import { createPairBuffer } from '../../../src/domain/matching/join/pairs.ts';
import {
  type KeyColumn,
  keyAt,
  mostIn,
  partitionBitsFor,
  recordsOf,
  slotsFor,
  widthsOf,
} from '../../../src/domain/matching/join/records.ts';
import { sortLane } from '../../../src/domain/matching/join/sort-lane.ts';
import { sweep } from '../../../src/domain/matching/join/sweep.ts';
import { candidatesOf } from '../../../src/domain/matching/passes/candidates.ts';
import { batchOf, euro, pass, type Records } from './records.ts';

const columnOf = (texts: readonly string[]): TextColumn => textColumnOf(texts.length, (row) => texts[row]);
const sorted = (pairs: readonly (readonly number[])[]): string[] => pairs.map(([one, other]) => `${one}-${other}`).sort();
const everyPair = (ours: number, theirs: number, belong: (one: number, other: number) => boolean): number[][] =>
  Array.from({ length: ours * theirs }, (_, index) => [Math.floor(index / theirs), index % theirs]).filter(([one = 0, other = 0]) =>
    belong(one, other),
  );

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

describe('the sweep', () => {
  const amount = fc.oneof(
    fc.integer({ min: -50, max: 50 }),
    fc.constantFrom(Number.NaN, 0.5, -3.25, 5_000_000_000, -9_007_199_254_740_991, 9_007_199_254_740_991),
  );
  // Days that lie close, and the first and last that a calendar of four digits has.
  const day = fc.oneof(fc.integer({ min: 20_000, max: 20_030 }), fc.constantFrom(noDay, -719_162, 2_932_896));
  const rowOf = fc.record({ amount, day, currency: fc.constantFrom(0, 4_543_826, 5_591_876) });
  const rows = fc.oneof(fc.array(rowOf, { maxLength: 25 }), fc.array(rowOf, { minLength: 65, maxLength: 80 }));
  type Rows = readonly { readonly amount: number; readonly day: number; readonly currency: number }[];

  const swept = (ours: Rows, theirs: Rows, { below = 0, above = 0, before = 0, after = 0, by = 'both' }): number[][] => {
    const amounts = Float64Array.from(ours, (one) => one.amount);
    const pairs: number[][] = [];
    const bands = {
      amount:
        by === 'day'
          ? undefined
          : {
              sources: amounts,
              targets: Float64Array.from(theirs, (one) => one.amount),
              least: (row: number) => (amounts[row] as number) - below * Math.abs(amounts[row] as number),
              most: (row: number) => (amounts[row] as number) + above,
            },
      day:
        by === 'amount'
          ? undefined
          : {
              sources: Int32Array.from(ours, (one) => one.day),
              targets: Int32Array.from(theirs, (one) => one.day),
              absent: noDay,
              rangeOf: (one: number) => ({ first: one - before, last: one + after }),
            },
      sourceCurrencies: Int32Array.from(ours, (one) => one.currency),
      targetCurrencies: Int32Array.from(theirs, (one) => one.currency),
    };
    sweep(bands, countedUp(ours.length), countedUp(theirs.length), (one, other) => pairs.push([one, other]));
    return pairs;
  };

  test('finds exactly what lies within both windows, for windows of any width', () => {
    const windows = fc.record({
      // Of the amount itself, and also more than all of it: then what is accepted does not grow with the amount.
      below: fc.constantFrom(0, 0.1, 1.5),
      above: fc.constantFrom(0, 1, 40),
      before: fc.constantFrom(0, 1, 9),
      after: fc.constantFrom(0, 3, 400),
      by: fc.constantFrom('both', 'amount', 'day'),
    });
    fc.assert(
      fc.property(rows, rows, windows, (ours, theirs, { below, above, before, after, by }) => {
        const belong = (s: number, t: number): boolean => {
          const [one, other] = [ours[s], theirs[t]];
          if (one === undefined || other === undefined) return false;
          const isOfCurrency = one.currency === other.currency || one.currency === 0 || other.currency === 0;
          const isInTime =
            by === 'amount' || (one.day !== noDay && other.day !== noDay && other.day >= one.day - before && other.day <= one.day + after);
          const isNear = by === 'day' || (other.amount >= one.amount - below * Math.abs(one.amount) && other.amount <= one.amount + above);
          return isOfCurrency && isInTime && isNear;
        };
        expect(sorted(swept(ours, theirs, { below, above, before, after, by }))).toEqual(
          sorted(everyPair(ours.length, theirs.length, belong)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('finds more pairs than are handed over at a time, and can be broken off among them', () => {
    const same = (count: number) =>
      Array.from({ length: count }, (_, row) => ({ amount: 7, day: 20_000 + (row % 3), currency: 4_543_826 }));
    const [ours, theirs] = [same(300), same(301)];
    const belong = (one: number, other: number): boolean => other % 3 === one % 3 || other % 3 === (one % 3) + 1;
    const bands = {
      amount: {
        sources: Float64Array.from(ours, ({ amount }) => amount),
        targets: Float64Array.from(theirs, ({ amount }) => amount),
        least: () => 7,
        most: () => 7,
      },
      day: {
        sources: Int32Array.from(ours, ({ day }) => day),
        targets: Int32Array.from(theirs, ({ day }) => day),
        absent: noDay,
        rangeOf: (first: number) => ({ first, last: first + 1 }),
      },
      sourceCurrencies: Int32Array.from(ours, ({ currency }) => currency),
      targetCurrencies: Int32Array.from(theirs, ({ currency }) => currency),
    };
    let left = 20_000;
    const breakOff = (): void => {
      left -= 1;
      if (left === 0) throw new Error('enough');
    };
    expect(() => sweep(bands, countedUp(300), countedUp(301), breakOff)).toThrow('enough');
    const pairs: number[][] = [];
    sweep(bands, countedUp(300), countedUp(301), (one, other) => pairs.push([one, other]));
    expect(pairs.length).toBeGreaterThan(40_000);
    expect(sorted(pairs)).toEqual(sorted(everyPair(300, 301, belong)));
  });

  test('asks for no more lanes than there are rows, however many currencies are as far apart as their days', () => {
    const code = (number: number): number => {
      const letter = (place: number): number => 65 + (Math.floor(number / 26 ** place) % 26);
      return (letter(2) << 16) | (letter(1) << 8) | letter(0);
    };
    const ours = Array.from({ length: 26 ** 3 }, (_, row) => ({
      amount: 100,
      day: row % 5_000 === 0 ? 2_932_896 : 20_000 + (row % 3),
      currency: code(row),
    }));
    const pairs = swept(ours, ours.toReversed(), { above: 1, after: 3 });
    expect(pairs).toHaveLength(ours.length);
    expect(pairs.every(([one = 0, other = 0]) => other === ours.length - 1 - one)).toBe(true);
  });

  test('sorts lanes of thousands', () => {
    const count = 6_000;
    const ours = Array.from({ length: count }, (_, index) => ({ amount: (index * 7_919) % 1_000_003, day: 20_000, currency: 4_543_826 }));
    const pairs = swept(ours, ours.toReversed(), {});
    expect(pairs).toHaveLength(count);
    expect(pairs.every(([one = 0, other = 0]) => other === count - 1 - one)).toBe(true);
  });
});

test('pairs come in pieces, those of neighbouring sources together where there are many, and none is lost', () => {
  const told = (sourceRows: number, count: number) => {
    const pieces: number[][][] = [];
    const { push, finish } = createPairBuffer((sources, targets, size) => {
      pieces.push(Array.from({ length: size }, (_, index) => [sources[index] as number, targets[index] as number]));
    }, sourceRows);
    const given = Array.from({ length: count }, (_, index) => [(index * 7_919) % sourceRows, index]);
    for (const [source = 0, target = 0] of given) push(source, target);
    finish();
    expect(pieces.flat().toSorted(([, one = 0], [, other = 0]) => one - other)).toEqual(given);
    return pieces;
  };
  const sizes = (pieces: readonly unknown[][]) => pieces.map(({ length }) => length);
  expect(sizes(told(10, 3))).toEqual([3]);
  expect(
    told(10, 3)
      .flat()
      .map(([source]) => source),
  ).toEqual([0, 9, 8]);
  expect(sizes(told(10, 40_000))).toEqual([16_384, 16_384, 7_232]);
  expect(told(10, 0)).toEqual([]);
  const many = told(40_000, 60_000);
  expect(sizes(many)).toEqual([16_384, 16_384, 7_232, 16_384, 3_616]);
  for (const held of [many.slice(0, 3), many.slice(3)]) {
    const blocks = held.flat().map(([source = 0]) => source >>> 6);
    expect(blocks).toEqual(blocks.toSorted((one, other) => one - other));
  }
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

test('a lane is sorted, equal amounts in the order of their places, whatever its size and its amounts', () => {
  const sizes = fc.constantFrom(0, 1, 2, 3, 63, 64, 65, 300, 2_047, 2_048);
  const kinds = fc.constantFrom([0, 5], [-300, 3_000], [0.5, 9], [0, 2 ** 31], [-(2 ** 31), 2 ** 32], [0, 2 ** 45]);
  fc.assert(
    fc.property(sizes, kinds, fc.nat(3), fc.nat(1_000), (size, [from = 0, range = 0], start, seed) => {
      const amounts = Array.from({ length: size }, (_, index) => from + Math.floor((((index + seed) * 7_919) % 4_093) * (range / 4_093)));
      const lows = Float64Array.from([...Array.from({ length: start }, () => 7), ...amounts, -1, -1]);
      const order = new Uint32Array(lows.length);
      sortLane(lows, order, start, start + size);
      const places = [...amounts.keys()].sort((one, other) => (amounts[one] as number) - (amounts[other] as number));
      expect([...order.subarray(start, start + size)]).toEqual(places.map((place) => start + place));
      expect([...lows]).toEqual([...Array.from({ length: start }, () => 7), ...places.map((place) => amounts[place]), -1, -1]);
    }),
    { numRuns: 150 },
  );
});

describe('the candidates of a pass', () => {
  const candidates = (match: readonly object[], source: Records, target: Records) => {
    const batches = [batchOf(source), batchOf(target)] as const;
    const judges = (rules.parse(pass(match)).passes[0]?.match ?? []).map((condition) => compileCondition(condition, ...batches));
    const rows = { source: countedUp(source.length), target: countedUp(target.length) };
    const { visit, certain, ...rest } = candidatesOf('one', judges, ...batches, rows);
    return {
      ...rest,
      certain: judges.map((judge) => certain.has(judge)),
      look: () => visit(() => {}),
      pairs: () => {
        const found: number[][] = [];
        visit((ours, theirs, count) => {
          for (let index = 0; index < count; index += 1) found.push([ours[index] as number, theirs[index] as number]);
        });
        return sorted(found);
      },
    };
  };
  const reference = { field: 'reference', type: 'exact' };
  const note = { field: 'note', type: 'exact' };
  const near = { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } };
  const soon = { field: 'date', type: 'date', within: { after: 1 } };
  const on = (id: string, day: number, more = {}) => euro(id, '5.00', { date: `2026-04-${day + 10}`, ...more });

  test('of a key are the records that share it, of which many are narrowed by amounts and dates', () => {
    const few = [on('a', 1, { reference: 'k' }), on('b', 9, { reference: 'l' })];
    const found = candidates([reference, near, soon], few, [on('x', 5, { reference: 'k' }), on('y', 9, { reference: 'm' })]);
    expect(found.pairs()).toEqual(['0-0']);
    expect(found).toMatchObject({ certain: [true, false, false], mayRepeat: false, heldMax: 100 });
    const many = Array.from({ length: 9 }, (_, index) => on(`m${index}`, index * 2, { reference: 'k' }));
    const own = Array.from({ length: 9 }, (_, index) => `${index}-${index}`);
    expect(candidates([reference, soon], many, many).pairs()).toEqual(own);
    const spread = many.map((record, index) => ({ ...record, amount: `${index * 2}.00` }));
    expect(candidates([reference, near], spread, spread).pairs()).toEqual(own);
    expect(candidates([reference, note], many, many).pairs()).toEqual([]);
    expect(candidates([reference], many, many).pairs()).toHaveLength(81);
    expect(candidates([reference, { ...soon, verify: true }], many, many).pairs()).toHaveLength(81);
  });

  test('without a key lie within the amounts and the dates of each other', () => {
    const source = [on('a', 1), on('b', 5, { amount: '50.00' })];
    const target = [on('x', 2), on('y', 5), on('z', 6, { amount: '50.50' })];
    expect(candidates([near], source, target).pairs()).toEqual(['0-0', '0-1', '1-2']);
    expect(candidates([soon], source, target).pairs()).toEqual(['0-0', '1-1', '1-2']);
    expect(candidates([near, soon], source, target).pairs()).toEqual(['0-0', '1-2']);
    expect(candidates([near, { ...soon, verify: true }], source, target).pairs()).toEqual(['0-0', '0-1', '1-2']);
  });

  test('of alternatives are those of each, some of them twice, unless something else finds them', () => {
    const either = (...conditions: readonly object[]) => ({ type: 'oneOf', conditions });
    const source = [on('a', 1, { reference: 'k', note: 'n' }), on('b', 2, { amount: '50.00' })];
    const target = [on('x', 9, { reference: 'k', note: 'n' }), on('y', 9, { reference: 'q', amount: '50.10' })];
    const byTexts = candidates([either(reference, note)], source, target);
    expect(byTexts.pairs()).toEqual(['0-0', '0-0']);
    expect(byTexts).toMatchObject({ mayRepeat: true, certain: [false] });
    expect(candidates([either(reference, near)], source, target).pairs()).toEqual(['0-0', '0-0', '1-1']);
    expect(candidates([either(near, soon)], source, target).pairs()).toEqual(['0-0', '1-1']);
    expect(candidates([either(note, near), reference], source, target).pairs()).toEqual(['0-0']);
    expect(candidates([either(note, reference), near], source, target)).toMatchObject({ mayRepeat: false });
    expect(candidates([either(note, reference), soon], source, target).pairs()).toEqual([]);
  });

  test('are refused where far more are looked at than may be held, whatever becomes of them', () => {
    const same = Array.from({ length: 2_500 }, (_, index) => ({ id: `r${index}`, note: 'n', date: '2026-04-01' }));
    expect(() => candidates([note], same, same).look()).toThrow('largest block (n) has 2500 source and 2500 target');
    expect(() => candidates([soon], same, same).look()).toThrow('largest block (all records) has 2500 source and 2500 target');
    expect(() => candidates([soon], same.slice(0, 2_000), same.slice(0, 1_000)).look()).not.toThrow();
    expect(() => candidates([note], same.slice(0, 3), same).refuse()).toThrow('more than 50 candidates per record on average');
  });
});

describe('transforms of columns', () => {
  test('make of a column what they make of each of its texts, whether over bytes or not', () => {
    const transforms = fc.array(
      fc.constantFrom<Transform>(
        'trim',
        'lowercase',
        'collapseSpaces',
        'alphanumeric',
        'digits',
        'stripAccents',
        'stripLeadingZeros',
        'abs',
        { stripPrefix: 'or' },
        { stripSuffix: '-x' },
      ),
      { minLength: 1, maxLength: 4 },
    );
    const letters = fc.array(fc.constantFrom(...' \t-OoRr0017xXzé\u0130ß日'), { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 20 }), transforms, (texts, steps) => {
        const column = normalized(columnOf(texts), steps);
        const through = transformed(steps);
        expect(texts.map((_, row) => textAt(column, row))).toEqual(texts.map((text) => (text === '' ? '' : through(text))));
      }),
      { numRuns: 500 },
    );
  });
});
