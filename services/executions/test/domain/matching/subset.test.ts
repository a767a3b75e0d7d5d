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
const search = ({ amounts, days, least, most, sizeMin = 1, sizeMax = 16, stepsMax = 50_000_000 }: Question) =>
  searchSubset({
    amounts: Float64Array.from(amounts),
    days: Int32Array.from(days ?? amounts.map(() => 0)),
    least,
    most,
    sizeMin,
    sizeMax,
    stepsMax,
  });

/** Every subset that fits, and whether its members follow one another. */
const bruteForce = ({ amounts, days, least, most, sizeMin = 1, sizeMax = 16 }: Question) => {
  const fitting: { members: number[]; isRun: boolean }[] = [];
  for (let subset = 1; subset < 2 ** amounts.length; subset += 1) {
    const members = amounts.map((_, index) => index).filter((index) => (subset >>> index) & 1);
    const sum = members.reduce((total, index) => total + BigInt(amounts[index] as number), 0n);
    if (members.length < sizeMin || members.length > sizeMax || sum < BigInt(least) || sum > BigInt(most)) continue;
    const isRun = members.every((member, place) => {
      const before = members[place - 1];
      return before === undefined || (member === before + 1 && (days?.[member] ?? 0) >= (days?.[before] ?? 0));
    });
    fitting.push({ members, isRun });
  }
  const runs = fitting.filter(({ isRun }) => isRun);
  const [first, second] = runs.length > 0 ? runs : fitting;
  if (first === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'found', members: first.members, how: runs.length > 0 ? 'window' : 'only' } : { kind: 'ambiguous' };
};

const amount = fc.oneof(
  fc.integer({ min: 1, max: 60 }),
  fc.integer({ min: -30, max: 60 }),
  fc.constantFrom(0, 10, 10, 25),
  fc.integer({ min: 999_999_999_999_990, max: 1_000_000_000_000_010 }),
);
const question = fc
  .record({
    amounts: fc.array(amount, { maxLength: 12 }),
    chosen: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    off: fc.integer({ min: -3, max: 3 }),
    width: fc.nat(4),
    sizeMin: fc.integer({ min: 1, max: 3 }),
    sizeMax: fc.integer({ min: 1, max: 12 }),
    days: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 12, maxLength: 12 }),
  })
  .map(({ amounts, chosen, off, width, sizeMin, sizeMax, days }): Question => {
    const sum = amounts.reduce((total, value, index) => total + (chosen[index] === true ? value : 0), off);
    return {
      amounts,
      days: days.slice(0, amounts.length).sort((one, other) => one - other),
      least: sum,
      most: sum + width,
      sizeMin,
      sizeMax,
    };
  });

describe('the search for a subset', () => {
  test('finds what trying every subset finds: one, none, or that there are several', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const { kind, ...found } = search(asked);
        const expected = bruteForce(asked);
        expect(kind).toBe(expected.kind);
        if ('members' in found && 'members' in expected) {
          expect({ ...found, members: [...found.members] }).toEqual({ members: expected.members, how: expected.how });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('both witnesses of an ambiguity fit, and differ', () => {
    fc.assert(
      fc.property(question, (asked) => {
        const answer = search(asked);
        if (answer.kind !== 'ambiguous') return;
        const sumOf = (members: Int32Array) => [...members].reduce((total, index) => total + BigInt(asked.amounts[index] as number), 0n);
        for (const members of [answer.first, answer.second]) {
          expect(sumOf(members) >= BigInt(asked.least) && sumOf(members) <= BigInt(asked.most)).toBe(true);
          expect(new Set(members).size).toBe(members.length);
        }
        expect([...answer.first]).not.toEqual([...answer.second]);
      }),
      { numRuns: 500 },
    );
  });

  test('what cannot be searched to the end within its steps says so, however long a machine takes', () => {
    const amounts = Array.from({ length: 60 }, (_, index) => 100_003 + index * 997 * (index + 3));
    const most = amounts.reduce((total, value) => total + value, 0);
    const asked = { amounts, least: Math.floor(most / 2), most: Math.floor(most / 2), sizeMax: 60, stepsMax: 1_000 };
    expect(search(asked)).toEqual(search(asked));
    expect(search({ ...asked, stepsMax: 10 }).kind).toBe('budget');
  });

  test('of thousands of subsets that fit, the run is taken', () => {
    const amounts = Array.from({ length: 40 }, (_, index) => 500 + ((index * 7_919) % 49_500));
    const covered = amounts.slice(11, 19);
    const sum = covered.reduce((total, value) => total + value, 0);
    expect(search({ amounts, least: sum, most: sum, sizeMax: 20 })).toEqual({
      kind: 'found',
      members: Int32Array.from({ length: 8 }, (_, index) => index + 11),
      how: 'window',
    });
  });
});
