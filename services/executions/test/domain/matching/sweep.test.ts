import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noDay } from '../../../src/domain/matching/batch.ts';
import { countedUp } from '../../../src/domain/matching/columns/order.ts';
import { sortLane } from '../../../src/domain/matching/join/sort-lane.ts';
import { sweep } from '../../../src/domain/matching/join/sweep.ts';
import { everyPair, sorted } from './pairs.ts';

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
