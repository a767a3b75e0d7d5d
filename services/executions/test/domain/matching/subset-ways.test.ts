import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { branch } from '../../../src/domain/matching/subset/branch.ts';
import { halves, stepsOfHalves } from '../../../src/domain/matching/subset/halves.ts';
import { type Budget, createWitnesses, type Problem, problemOf, slackOf } from '../../../src/domain/matching/subset/problem.ts';
import { narrowedByRests } from '../../../src/domain/matching/subset/rests.ts';
import { stepsOfTotals, totals } from '../../../src/domain/matching/subset/totals.ts';

const ways = { branch, halves, totals };

interface Question {
  readonly amounts: readonly number[];
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
}

const prepare = ({ amounts, least, most, sizeMin, sizeMax }: Question) => {
  const columns = Float64Array.from(amounts);
  const slack = slackOf(columns, least, most);
  return {
    problem: problemOf(columns, least, most, sizeMin, sizeMax, slack),
    witnesses: () => createWitnesses(columns, least, most, slack),
  };
};

const sizeUnit = 64;

/** By counting the subsets of every size and sum, both in one number. */
const countOfAll = ({ amounts, least, most, sizeMin, sizeMax }: Question): number => {
  let counts = new Map([[0, 1]]);
  for (const amount of amounts) {
    const next = new Map(counts);
    for (const [state, count] of counts) {
      const following = state + amount * sizeUnit + 1;
      next.set(following, (next.get(following) ?? 0) + count);
    }
    counts = next;
  }
  let fitting = 0;
  for (const [state, count] of counts) {
    const sum = Math.floor(state / sizeUnit);
    const size = state - sum * sizeUnit;
    if (size >= Math.max(1, sizeMin) && size <= sizeMax && sum >= least && sum <= most) fitting += count;
  }
  return fitting;
};

const questions = (maxLength: number, amount: fc.Arbitrary<number>) =>
  fc
    .record({
      amounts: fc.array(amount, { minLength: 1, maxLength, size: 'max' }),
      chosen: fc.array(fc.boolean(), { minLength: maxLength, maxLength }),
      off: fc.constantFrom(0, 0, 0, -2, -1, 1),
      width: fc.constantFrom(0, 0, 1, 5),
      sizeMin: fc.integer({ min: 1, max: 4 }),
      sizeMax: fc.integer({ min: 1, max: maxLength }),
    })
    .map(({ amounts, chosen, off, width, sizeMin, sizeMax }): Question => {
      const sum = amounts.reduce((total, value, index) => total + (chosen[index] === true ? value : 0), off);
      return { amounts, least: sum, most: sum + width, sizeMin, sizeMax };
    });

const amounts = fc.oneof(
  fc.integer({ min: 1, max: 90 }),
  fc.integer({ min: -40, max: 90 }),
  fc.constantFrom(0, 7, 7, 20),
  fc.integer({ min: 3, max: 40 }).map((tens) => tens * 10),
);

describe.each(Object.entries(ways))('looking for a subset by %s', (_, look) => {
  test('finds none, one or two, as many as there are', () => {
    fc.assert(
      fc.property(questions(16, amounts), (asked) => {
        const { problem, witnesses } = prepare(asked);
        const found = witnesses();
        if (problem !== undefined) expect(look(problem, { left: 50_000_000 }, found)).toBe(true);
        expect(found.found.length).toBe(Math.min(2, countOfAll(asked)));
        for (const members of found.found) {
          const sum = members.reduce((total, member) => total + (asked.amounts[member] as number), 0);
          expect(sum >= asked.least && sum <= asked.most).toBe(true);
          expect(new Set(members).size).toBe(members.length);
          expect(members.length >= asked.sizeMin && members.length <= asked.sizeMax).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('stops when its steps are used up, soon after', () => {
    // Sums of fewer than 25 of these never come to an odd number of hundreds, whichever way they are looked at.
    const { problem, witnesses } = prepare({
      amounts: Array.from({ length: 38 }, (_, index) => 200 * (index + 90) + (index === 0 ? 1 : 0)),
      least: 250_100,
      most: 250_100,
      sizeMin: 1,
      sizeMax: 20,
    });
    const budget: Budget = { left: 5_000 };
    const found = witnesses();
    expect(look(problem as Problem, budget, found)).toBe(false);
    expect(found.found).toEqual([]);
    expect(budget.left).toBeLessThan(0);
    expect(budget.left).toBeGreaterThan(-50_000);
  });
});

describe('branch and bound', () => {
  const rising = (from: number, count: number, step = 1) => Array.from({ length: count }, (_, index) => from + index * step);
  const look = (amounts: readonly number[], least: number, most: number, sizeMin: number, sizeMax: number) => {
    const sorted = Float64Array.from(amounts).sort((one, other) => Math.abs(other) - Math.abs(one) || other - one);
    const candidates = Int32Array.from(sorted.keys());
    const found = createWitnesses(sorted, least, most, 0);
    const budget: Budget = { left: 1_000_000 };
    expect(branch({ amounts: sorted, candidates, least, most, sizeMin, sizeMax, slack: 0 }, budget, found)).toBe(true);
    return { steps: 1_000_000 - budget.left, found: found.found.map((members) => [...members].map((member) => sorted[member] as number)) };
  };

  test.each([
    ['the greatest are too little', rising(100, 20), 500, 1, 4, 1],
    ['the smallest are too much', rising(100, 20), 300, 4, 9, 1],
    ['all that is positive is too little', [...rising(100, 10), ...rising(-109, 10)], 2_000, 1, 20, 1],
    ['all that is negative is too much', [...rising(100, 8, 10), ...rising(-105, 3, 10)], -301, 1, 11, 1],
    ['equal amounts are one choice', rising(7, 30, 0), 100, 1, 30, 238],
    ['tens never come to a five', rising(100, 20, 10), 1_005, 1, 20, 12_523],
    ['tens less a five come to it by twos', [...rising(100, 8, 10), ...rising(-105, 8, 10)], 301, 3, 5, 1_108],
  ])('finds none within so many steps where %s', (_, amounts, sum, sizeMin, sizeMax, stepsMax) => {
    const { steps, found } = look(amounts, sum, sum, sizeMin, sizeMax);
    expect(found).toEqual([]);
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(stepsMax);
  });

  test.each([
    ['the first that fit', rising(1, 30), 100, 1, 30, ['30+29+28+13', '30+29+28+12+1'], 6],
    ['past what is too much', [...rising(5_000, 50), 3, 5], 8, 1, 9, ['5+3'], 3],
    ['and who could stand in for a member', [10, 10, 10, 4, 4, 3], 24, 1, 6, ['10+10+4', '10+10+4'], 3],
    ['as many as are asked for', rising(101, 20, 17), 1_000, 3, 5, ['424+407+169', '424+390+186'], 9],
  ])('finds two at most, %s, within so many steps', (_, amounts, sum, sizeMin, sizeMax, expected, stepsMax) => {
    const { steps, found } = look(amounts, sum, sum, sizeMin, sizeMax);
    expect(found.map((members) => members.join('+'))).toEqual(expected);
    expect(steps).toBeGreaterThan(0);
    expect(steps).toBeLessThanOrEqual(stepsMax);
  });
});

describe('estimates', () => {
  test('are kept: so many steps suffice', () => {
    fc.assert(
      fc.property(questions(20, fc.oneof(amounts, fc.integer({ min: 100, max: 5_000 }))), (asked) => {
        const { problem, witnesses } = prepare(asked);
        // Where sums fit and their sizes do not, halves may try far more pairs than there are entries.
        const { problem: ofAnySize } = prepare({ ...asked, sizeMin: 1, sizeMax: asked.amounts.length });
        if (problem === undefined || ofAnySize === undefined) return;
        expect(halves(ofAnySize, { left: stepsOfHalves(ofAnySize.amounts.length, ofAnySize.sizeMax) }, witnesses())).toBe(true);
        const found = witnesses();
        const steps = stepsOfTotals(problem);
        const budget: Budget = { left: 10 * steps + 1_000 };
        expect(totals(problem, budget, found)).toBe(true);
        const taken = 10 * steps + 1_000 - budget.left;
        expect(taken).toBeLessThanOrEqual(found.found.length === 0 ? steps : 4 * steps + 100);
      }),
      { numRuns: 100 },
    );
  });

  test('refuse what would take too much memory, or what cannot be written in 32 bits', () => {
    expect(stepsOfHalves(40, 40)).toBe(6 * 2 ** 20);
    expect(stepsOfHalves(42, 42)).toBe(Number.POSITIVE_INFINITY);
    expect(stepsOfHalves(62, 2)).toBe(6 * (1 + 31 + (31 * 30) / 2));
    expect(stepsOfHalves(64, 2)).toBe(Number.POSITIVE_INFINITY);
    const many = { amounts: Array.from({ length: 50 }, (_, index) => 100 + index), least: 4_000, most: 4_000, sizeMin: 1 };
    const of = (asked: Question) => stepsOfTotals(prepare(asked).problem as Problem);
    expect(of({ ...many, sizeMax: 31 })).toBeLessThan(20_000);
    expect(of({ ...many, sizeMax: 32 })).toBe(Number.POSITIVE_INFINITY);
    const great = { ...many, amounts: many.amounts.map((amount) => amount * 10_007 + 1), least: 4_000 * 10_007, most: 4_000 * 10_007 + 50 };
    expect(of({ ...great, sizeMax: 31 })).toBe(Number.POSITIVE_INFINITY);
  });
});

test('rests leave out only sizes that no fitting subset has', () => {
  fc.assert(
    fc.property(
      questions(
        14,
        fc.oneof(
          amounts,
          fc.integer({ min: 1, max: 90 }).map((units) => units * 100 - 1),
        ),
      ),
      (asked) => {
        const { problem } = prepare(asked);
        if (problem === undefined) return;
        const narrowed = narrowedByRests(problem, { left: 1e6 });
        const kept = narrowed === undefined ? 0 : countOfAll({ ...asked, sizeMin: narrowed.sizeMin, sizeMax: narrowed.sizeMax });
        expect(kept).toBe(countOfAll(asked));
        if (narrowed === undefined) return;
        expect(narrowed.sizeMin).toBeGreaterThanOrEqual(problem.sizeMin);
        expect(narrowed.sizeMax).toBeLessThanOrEqual(problem.sizeMax);
        expect(narrowed.sizeMin).toBeLessThanOrEqual(narrowed.sizeMax);
      },
    ),
    { numRuns: 200 },
  );
});
