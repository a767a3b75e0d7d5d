/**
 * Meet in the middle: the candidates are dealt into two halves, every sum of either half is listed in order, and the two lists are
 * run through from opposite ends. Takes 2^(n/2) entries where all subsets would be 2^n, and fewer where groups are small or amounts
 * recur.
 */
import type { Budget, Problem, Witnesses } from './problem.ts';

/** A half's members are the bits of an integer. */
const halfMax = 31;

/** Beyond it the lists would take more than some 60 MB. */
const subsetsMax = 2 ** 20;

interface Sums {
  /** Ascending. */
  readonly sums: Float64Array;
  readonly members: Int32Array;
  readonly sizes: Uint8Array;
  readonly length: number;
}

/** How many steps it may take at most to list the halves of so many candidates; infinite where it is not possible at all. */
export const stepsOfHalves = (count: number, sizeMax: number): number => {
  const half = Math.ceil(count / 2);
  if (half > halfMax) return Number.POSITIVE_INFINITY;
  let subsets = 1;
  let ofSize = 1;
  for (let size = 1; size <= Math.min(half, sizeMax); size += 1) {
    ofSize *= (half - size + 1) / size;
    subsets += ofSize;
  }
  // The lists double with every candidate, so all of them together are twice as long as the last; then both are run through.
  return subsets > subsetsMax ? Number.POSITIVE_INFINITY : 6 * subsets;
};

/** @returns whether all was looked at, or two found. */
export const halves = (problem: Problem, budget: Budget, witnesses: Witnesses): boolean => {
  const { least, most, sizeMin, sizeMax, slack } = problem;
  const left = sumsOf(problem, 0, budget);
  const right = left && sumsOf(problem, 1, budget);
  if (left === undefined || right === undefined) return false;
  const [bottom, top] = [least - slack, most + slack];
  let last = right.length - 1;
  for (let index = 0; index < left.length; index += 1) {
    const sum = left.sums[index] as number;
    while (last >= 0 && sum + (right.sums[last] as number) > top) last -= 1;
    budget.left -= 1;
    for (let other = last; other >= 0 && sum + (right.sums[other] as number) >= bottom; other -= 1) {
      budget.left -= 1;
      if (budget.left < 0) return false;
      const size = (left.sizes[index] as number) + (right.sizes[other] as number);
      if (size < sizeMin || size > sizeMax) continue;
      witnesses.add(membersOf(problem, left.members[index] as number, right.members[other] as number));
      if (witnesses.areTwo()) return true;
    }
  }
  return budget.left >= 0;
};

const membersOf = ({ candidates }: Problem, left: number, right: number): number[] =>
  [...candidates].filter((_, position) => ((position % 2 === 0 ? left : right) >>> (position >> 1)) & 1);

/** The sums of every other candidate, beginning with the first or the second, so that the halves are alike. */
const sumsOf = ({ amounts, most, least, sizeMax, slack }: Problem, first: number, budget: Budget): Sums | undefined => {
  const { below, above } = outsideOf(amounts, first);
  let list: Sums = { sums: new Float64Array(1), members: new Int32Array(1), sizes: new Uint8Array(1), length: 1 };
  for (let position = first; position < amounts.length; position += 2) {
    const after = position + 2;
    const lowest = least - slack - (above[after] as number);
    const highest = most + slack - (below[after] as number);
    list = withCandidate(list, amounts[position] as number, 1 << (position >> 1), sizeMax, lowest, highest, slack === 0);
    budget.left -= list.length;
    if (budget.left < 0) return undefined;
  }
  return list;
};

/** What can still be added below and above by the other half and by this half's candidates from a position on. */
const outsideOf = (amounts: Float64Array, first: number) => {
  const below = new Float64Array(amounts.length + 2);
  const above = new Float64Array(amounts.length + 2);
  const put = (into: number, amount: number): void => {
    below[into] = (below[into] as number) + Math.min(amount, 0);
    above[into] = (above[into] as number) + Math.max(amount, 0);
  };
  for (let position = 1 - first; position < amounts.length; position += 2) {
    for (const end of [amounts.length, amounts.length + 1]) put(end, amounts[position] as number);
  }
  for (let position = amounts.length - 1; position >= 0; position -= 1) {
    if (position % 2 !== first) continue;
    below[position] = below[position + 2] as number;
    above[position] = above[position + 2] as number;
    put(position, amounts[position] as number);
  }
  return { below, above };
};

/**
 * Merges the list with itself moved by one amount. Of entries that are equal in sum and size two are enough, since two ways to fit
 * are all that is ever asked for; computed sums that may be off say nothing of equality, so these are all kept.
 */
const withCandidate = (
  { sums, members, sizes, length }: Sums,
  amount: number,
  bit: number,
  sizeMax: number,
  lowest: number,
  highest: number,
  isExact: boolean,
): Sums => {
  const outSums = new Float64Array(2 * length);
  const outMembers = new Int32Array(2 * length);
  const outSizes = new Uint8Array(2 * length);
  let out = 0;
  let without = 0;
  let including = 0;
  while (without < length || including < length) {
    const plain = without < length ? (sums[without] as number) : Number.POSITIVE_INFINITY;
    const moved = including < length ? (sums[including] as number) + amount : Number.POSITIVE_INFINITY;
    const isPlain = plain <= moved;
    const sum = isPlain ? plain : moved;
    const from = isPlain ? without : including;
    const size = (sizes[from] as number) + (isPlain ? 0 : 1);
    if (isPlain) without += 1;
    else including += 1;
    if (size > sizeMax || sum < lowest || sum > highest) continue;
    if (isExact) {
      let same = 0;
      for (let before = out - 1; before >= 0 && same < 2 && outSums[before] === sum; before -= 1) if (outSizes[before] === size) same += 1;
      if (same === 2) continue;
    }
    outSums[out] = sum;
    outMembers[out] = (members[from] as number) | (isPlain ? 0 : bit);
    outSizes[out] = size;
    out += 1;
  }
  return { sums: outSums, members: outMembers, sizes: outSizes, length: out };
};
