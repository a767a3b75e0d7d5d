import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { searchSubset } from '../../../src/domain/matching/subset/search.ts';

interface Question {
  readonly amounts: readonly number[];
  readonly days?: readonly number[];
  readonly least: number;
  readonly most: number;
  readonly sizeMin?: number;
  readonly sizeMax?: number;
  readonly stepsMax?: number;
}
const search = ({ amounts, days, least, most, sizeMin = 1, sizeMax = 16, stepsMax = 2_000_000 }: Question) =>
  searchSubset({
    amounts: Float64Array.from(amounts),
    days: Int32Array.from(days ?? amounts.map(() => 0)),
    least,
    most,
    sizeMin,
    sizeMax,
    stepsMax,
  });
const exactly = (amounts: readonly number[], total: number, rest: Partial<Question> = {}) =>
  search({ amounts, least: total, most: total, ...rest });
const total = (amounts: readonly number[]): number => amounts.reduce((sum, amount) => sum + amount, 0);

/** Every subset, its sum in two parts so that sixteen amounts of 10^15 are added exactly. */
const bruteForce = ({ amounts, days, least, most, sizeMin = 1, sizeMax = 16 }: Question) => {
  const unit = 1_000_000;
  const high = [0];
  const low = [0];
  const size = [0];
  const fitting: number[] = [];
  const runs: number[] = [];
  const isAtLeast = (subset: number, bound: number): boolean =>
    (high[subset] as number) - Math.floor(bound / unit) + ((low[subset] as number) - (bound - Math.floor(bound / unit) * unit)) / unit >= 0;
  for (let subset = 1; subset < 2 ** amounts.length; subset += 1) {
    const member = 31 - Math.clz32(subset);
    const others = subset - 2 ** member;
    const amount = amounts[member] as number;
    high.push((high[others] as number) + Math.floor(amount / unit));
    low.push((low[others] as number) + amount - Math.floor(amount / unit) * unit);
    size.push((size[others] as number) + 1);
    if ((size[subset] as number) < sizeMin || (size[subset] as number) > sizeMax) continue;
    if (!isAtLeast(subset, least) || isAtLeast(subset, most + 1)) continue;
    fitting.push(subset);
    const first = 31 - Math.clz32(subset & -subset);
    const isRun = subset === 2 ** (member + 1) - 2 ** first;
    const goesOn = amounts.every((_, index) => index <= first || index > member || (days?.[index] ?? 0) >= (days?.[index - 1] ?? 0));
    if (isRun && goesOn) runs.push(subset);
  }
  const [one, other] = runs.length > 0 ? runs : fitting;
  if (one === undefined) return { kind: 'none' };
  if (other !== undefined) return { kind: 'ambiguous' };
  const members = amounts.flatMap((_, index) => ((one >>> index) & 1 ? [index] : []));
  return { kind: 'found', members, how: runs.length > 0 ? 'window' : 'only' };
};

const kinds = [
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: 500, max: 50_000 }),
  fc.integer({ min: -30, max: 60 }),
  fc.integer({ min: -50_000, max: 50_000 }),
  fc.constantFrom(0, 10, 10, 25),
  fc.constantFrom(999, 1_499, 1_999, 4_999),
  fc.integer({ min: 999_999_999_999_990, max: 1_000_000_000_000_010 }),
  fc.integer({ min: -1_000_000_000_000_010, max: 1_000_000_000_000_010 }),
];
const amountLists = (maxLength: number) =>
  fc.oneof(...kinds.map((kind) => fc.array(kind, { maxLength, size: 'max' })), fc.array(fc.oneof(...kinds), { maxLength, size: 'max' }));

const questions = (maxLength: number) =>
  fc
    .record({
      amounts: amountLists(maxLength),
      chosen: fc.array(fc.boolean(), { minLength: maxLength, maxLength }),
      off: fc.constantFrom(0, 0, 0, -3, -1, 1, 2),
      width: fc.constantFrom(0, 0, 0, 1, 4, 100),
      sizeMin: fc.integer({ min: 1, max: 3 }),
      sizeMax: fc.integer({ min: 1, max: maxLength }),
      days: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: maxLength, maxLength }),
    })
    .map(({ amounts, chosen, off, width, sizeMin, sizeMax, days }): Question => {
      let sum = off;
      // As many as leave the sum a number that is exact; the question could not be asked otherwise.
      for (const [index, amount] of amounts.entries()) if (chosen[index] === true && Number.isSafeInteger(sum + amount)) sum += amount;
      const sorted = days.slice(0, amounts.length).sort((one, other) => one - other);
      return { amounts, days: sorted, least: sum, most: sum + width, sizeMin, sizeMax };
    });

describe('the search for a subset', () => {
  test('finds what trying every subset finds: one, none, or that there are several', () => {
    fc.assert(
      fc.property(questions(16), (asked) => {
        const { kind, ...found } = search(asked);
        const expected = bruteForce(asked);
        expect(kind).toBe(expected.kind);
        if ('members' in found && 'members' in expected) {
          expect({ ...found, members: [...found.members] }).toEqual({ members: expected.members, how: expected.how });
        }
      }),
      { numRuns: 200 },
    );
  });

  test('both witnesses of an ambiguity fit, and differ', () => {
    fc.assert(
      fc.property(questions(40), (asked) => {
        const answer = search(asked);
        if (answer.kind !== 'ambiguous') return;
        for (const members of [answer.first, answer.second]) {
          const sum = members.reduce((so, index) => so + BigInt(asked.amounts[index] as number), 0n);
          expect(sum >= BigInt(asked.least) && sum <= BigInt(asked.most)).toBe(true);
          expect([...members]).toEqual([...new Set(members)].sort((one, other) => one - other));
          expect(members.length).toBeGreaterThanOrEqual(asked.sizeMin ?? 1);
          expect(members.length).toBeLessThanOrEqual(asked.sizeMax ?? 16);
        }
        expect([...answer.first]).not.toEqual([...answer.second]);
      }),
      { numRuns: 200 },
    );
  });

  test('one that was put among many is found, called ambiguous or beyond the steps, and never denied', () => {
    fc.assert(
      fc.property(questions(60), (asked) => {
        const whole = total(asked.amounts.slice(0, 20));
        if (asked.amounts.length === 0 || !Number.isSafeInteger(whole)) return;
        expect(exactly(asked.amounts, whole, { sizeMax: 20 }).kind).not.toBe('none');
      }),
      { numRuns: 200 },
    );
  });

  test('of thousands of subsets that fit, the run is taken', () => {
    const amounts = Array.from({ length: 40 }, (_, index) => 500 + ((index * 7_919) % 49_500));
    expect(exactly(amounts, total(amounts.slice(11, 19)), { sizeMax: 20 })).toEqual({
      kind: 'found',
      members: Int32Array.from({ length: 8 }, (_, index) => index + 11),
      how: 'window',
    });
  });

  test('two runs that fit are ambiguous, though they share members', () => {
    expect(exactly([3, 1, 2, 3], 6)).toEqual({ kind: 'ambiguous', first: Int32Array.of(0, 1, 2), second: Int32Array.of(1, 2, 3) });
    expect(exactly([7, 0], 7)).toEqual({ kind: 'ambiguous', first: Int32Array.of(0), second: Int32Array.of(0, 1) });
  });

  test('a run ends where the days step back to records without one', () => {
    const noDay = -2_147_483_648;
    expect(exactly([1, 20, 300, 4_000], 320, { days: [5, 6, noDay, noDay] })).toMatchObject({ kind: 'found', how: 'only' });
    expect(exactly([1, 20, 300, 4_000], 4_300, { days: [5, 6, noDay, noDay] })).toMatchObject({ kind: 'found', how: 'window' });
  });

  test('equal amounts stand in for each other, unless all of them are needed', () => {
    expect(exactly([50, 1, 50, 2, 50], 103).kind).toBe('ambiguous');
    expect(exactly([50, 1, 50, 4, 50], 154)).toEqual({ kind: 'found', members: Int32Array.of(0, 2, 3, 4), how: 'only' });
  });

  test('refunds count against the sum', () => {
    expect(exactly([1_000, 77, -300, 4_001], 700)).toEqual({ kind: 'found', members: Int32Array.of(0, 2), how: 'only' });
    expect(exactly([-1_000, 77, -300, -4_001], -1_300)).toEqual({ kind: 'found', members: Int32Array.of(0, 2), how: 'only' });
  });

  test('bounds are inclusive, and between whole amounts they need not be whole', () => {
    expect(search({ amounts: [10, 25], least: 24.5, most: 25.5 })).toMatchObject({ kind: 'found', members: Int32Array.of(1) });
    expect(search({ amounts: [10, 25], least: 25.1, most: 25.9 }).kind).toBe('none');
    expect(search({ amounts: [10, 25], least: 9, most: 10 })).toMatchObject({ kind: 'found', members: Int32Array.of(0) });
    expect(search({ amounts: [10, 25], least: 11, most: 9 }).kind).toBe('none');
  });

  test('the empty subset answers nothing, even where nothing is asked for', () => {
    expect(exactly([], 0).kind).toBe('none');
    expect(exactly([5, 7], 0, { sizeMin: 0 }).kind).toBe('none');
    expect(exactly([5, -5], 0, { sizeMin: 0 })).toMatchObject({ kind: 'found', members: Int32Array.of(0, 1) });
  });

  test('sums of many amounts of 10^15 are exact to the last unit', () => {
    // No two subsets have the same sum of signed powers of three.
    const amounts = Array.from({ length: 16 }, (_, index) => (-1) ** index * (1_000_000_000_000_000 + 3 ** index));
    const chosen = [0, 3, 6, 9, 12, 15];
    const sum = total(chosen.map((index) => amounts[index] as number));
    expect(exactly(amounts, sum)).toEqual({ kind: 'found', members: Int32Array.from(chosen), how: 'only' });
    expect(exactly(amounts, sum + 1).kind).toBe(bruteForce({ amounts, least: sum + 1, most: sum + 1 }).kind);
  });
});

describe('what grows beyond all trying', () => {
  const scattered = (count: number, from: number, to: number) =>
    Array.from({ length: count }, (_, index) => from + ((Math.imul(index + 1, 2_654_435_761) >>> 0) % (to - from)));

  test('is ambiguous as soon as two subsets are met, among hundreds of candidates and within few steps', () => {
    const amounts = scattered(200, 500, 50_000);
    const anywhere = [3, 20, 41, 77, 102, 150, 151, 199].map((index) => amounts[index] as number);
    expect(exactly(amounts, total(anywhere), { sizeMax: 20, stepsMax: 25_000 }).kind).toBe('ambiguous');
  });

  test('is proven absent where the ends of all prices forbid it', () => {
    const whole = scattered(200, 5, 500).map((euros) => euros * 100);
    expect(
      exactly(
        whole.map((cents) => cents - 1),
        123_470,
        { sizeMax: 20, stepsMax: 5_000 },
      ).kind,
    ).toBe('none');
    const mixed = whole.map((cents, index) => (index % 3 === 0 ? cents : index % 3 === 1 ? cents - 1 : cents - 51));
    expect(exactly(mixed, 123_423, { sizeMax: 20, stepsMax: 60_000 }).kind).toBe('none');
    expect(exactly(mixed, total(mixed.filter((_, index) => index % 17 === 3)), { sizeMax: 20 }).kind).toBe('ambiguous');
  });

  test('is decided by totals where these are small', () => {
    // But for one, all are multiples of six, which no round number betrays.
    const amounts = [...Array.from({ length: 45 }, (_, index) => 6 * (index + 20)), 7];
    expect(exactly(amounts, 1_003, { sizeMax: 7 }).kind).toBe('ambiguous');
    expect(exactly(amounts, 1_001, { sizeMax: 7 }).kind).toBe('none');
    expect(exactly(amounts, 999, { sizeMax: 7 }).kind).toBe('none');
  });

  // Steps are no time, and a way of looking that is no longer chosen, or no longer cuts anything off, takes more of them.
  test.each([
    ['none of a few', scattered(16, 1_000, 90_000), 123_457, 16, 414],
    ['none of a few with refunds', scattered(24, 500, 50_000).map((cents, index) => (index % 2 === 0 ? -cents : cents)), 77, 6, 15_070],
    ['none by the ends of prices', scattered(200, 5, 500).map((euros) => euros * 100 - 1), 123_470, 20, 79],
    ['none by rests', scattered(200, 5, 500).map((euros, index) => euros * 100 - ([0, 1, 51][index % 3] ?? 0)), 123_423, 20, 32_580],
    ['none by totals', [...Array.from({ length: 45 }, (_, index) => 6 * (index + 20)), 7], 999, 7, 25_536],
    ['none by halves', scattered(30, 100_000_000, 1_000_000_000), 2_123_456_789, 5, 8_384],
    ['none by more halves', scattered(34, 1_000_000, 10_000_000), 61_234_567, 8, 52_909],
  ] as const)('finds %s within so many steps', (_, amounts, sum, sizeMax, stepsMax) => {
    expect(exactly(amounts, sum, { sizeMax, stepsMax }).kind).toBe('none');
  });

  test('says so when its steps are used up, the same on every machine', () => {
    const asked = {
      amounts: scattered(60, 100_000_000, 1_000_000_000),
      least: 4_123_456_789,
      most: 4_123_456_789,
      sizeMax: 12,
      stepsMax: 100_000,
    };
    expect(search(asked).kind).toBe('budget');
    expect(search({ ...asked, stepsMax: 10 }).kind).toBe('budget');
    expect(search(asked)).toEqual(search(asked));
  });
});
