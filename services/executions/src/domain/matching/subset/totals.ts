/**
 * Dynamic programming over totals: for every total between the least and the greatest that half of the candidates can have, which
 * numbers of members it can be made of, as the bits of an integer. Takes n times the width of the totals whatever the number of
 * subsets, so small totals in cents are decided among hundreds of candidates.
 *
 * The tables say that a subset exists and not which one. Where the two halves have a total and a size each that fit together, each
 * half is asked the same of exactly those, and so on down to single candidates; all of it costs about as much again as the first two
 * tables.
 */
import { type Budget, cellsPerStep, type Problem, sizeBits, sizesBetween, type Witnesses } from './problem.ts';

/** Beyond it a table would take more than 8 MB. */
const widthMax = 2 ** 21;

interface Table {
  /** The total that the first entry is of. */
  readonly lowest: number;
  /** Bit k is set where k members come to the total. */
  readonly sizes: Int32Array;
}

interface Question {
  readonly from: number;
  readonly to: number;
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
}

/** How many steps it takes to prove that nothing fits; infinite where it is not possible at all. To name what fits takes up to three times as many. */
export const stepsOfTotals = ({ amounts, least, most, sizeMax, slack }: Problem): number => {
  const middle = amounts.length >> 1;
  const left = extentOf(amounts, 0, middle);
  const right = extentOf(amounts, middle, amounts.length);
  const leftWidth = Math.min(left.positive, most - right.negative) - left.negative + 1;
  const rightWidth = Math.min(right.positive, most - left.negative) - right.negative + 1;
  if (slack > 0 || sizeMax >= sizeBits || Math.max(leftWidth, rightWidth) > widthMax) return Number.POSITIVE_INFINITY;
  const cells = cellsOf(amounts, 0, middle, leftWidth) + cellsOf(amounts, middle, amounts.length, rightWidth);
  return (cells + leftWidth * (most - least + 2)) / cellsPerStep;
};

/** A table is filled only as far as the amounts so far reach. */
const cellsOf = (amounts: Float64Array, from: number, to: number, width: number): number => {
  let cells = 0;
  let reached = 1;
  for (let position = to - 1; position >= from; position -= 1) {
    reached = Math.min(width, reached + Math.abs(amounts[position] as number));
    cells += reached;
  }
  return cells;
};

/** @returns whether all was looked at, or two found. */
export const totals = (problem: Problem, budget: Budget, witnesses: Witnesses): boolean => {
  const { amounts, candidates, least, most, sizeMin, sizeMax } = problem;
  const solutions = solve(amounts, { from: 0, to: amounts.length, least, most, sizeMin, sizeMax }, budget);
  if (solutions === undefined) return false;
  for (const positions of solutions) witnesses.add(positions.map((position) => candidates[position] as number));
  return true;
};

/** One or two different subsets, none where there are none, or undefined where the steps do not suffice. */
const solve = (amounts: Float64Array, question: Question, budget: Budget): number[][] | undefined => {
  const { from, to, least, most, sizeMin, sizeMax } = question;
  if (to - from === 1) {
    const amount = amounts[from] as number;
    const solutions: number[][] = [];
    if (sizeMin <= 0 && least <= 0 && most >= 0) solutions.push([]);
    if (sizeMin <= 1 && sizeMax >= 1 && least <= amount && most >= amount) solutions.push([from]);
    return solutions;
  }
  const middle = (from + to) >> 1;
  const left = tableOf(amounts, from, middle, most - extentOf(amounts, middle, to).negative, budget);
  const right = left && tableOf(amounts, middle, to, most - extentOf(amounts, from, middle).negative, budget);
  if (left === undefined || right === undefined) return undefined;
  const solutions: number[][] = [];
  const isDone = eachFit(left, right, question, budget, (total, size, otherTotal, otherSize) => {
    const ofLeft = solve(amounts, exactly(from, middle, total, size), budget);
    const ofRight = ofLeft && solve(amounts, exactly(middle, to, otherTotal, otherSize), budget);
    if (ofLeft === undefined || ofRight === undefined) return false;
    for (const one of ofLeft) for (const other of ofRight) if (solutions.length < 2) solutions.push([...one, ...other]);
    return solutions.length < 2;
  });
  return isDone || solutions.length === 2 ? solutions : undefined;
};

const exactly = (from: number, to: number, total: number, size: number): Question => ({
  from,
  to,
  least: total,
  most: total,
  sizeMin: size,
  sizeMax: size,
});

/** Calls `take` for all totals and sizes of both tables that fit together, until it returns false. @returns whether it never did and the steps sufficed. */
const eachFit = (
  left: Table,
  right: Table,
  { least, most, sizeMin, sizeMax }: Question,
  budget: Budget,
  take: (total: number, size: number, otherTotal: number, otherSize: number) => boolean,
): boolean => {
  const fitting = sizesBetween(sizeMin, sizeMax);
  for (let index = 0; index < left.sizes.length; index += 1) {
    const sizes = left.sizes[index] as number;
    if (sizes === 0) continue;
    const total = left.lowest + index;
    const first = Math.max(0, least - total - right.lowest);
    const last = Math.min(right.sizes.length - 1, most - total - right.lowest);
    budget.left -= Math.max(last - first + 2, 1) / cellsPerStep;
    if (budget.left < 0) return false;
    for (let other = first; other <= last; other += 1) {
      const others = right.sizes[other] as number;
      if (others === 0) continue;
      for (let size = 0; size <= sizeMax; size += 1) {
        if (((sizes >>> size) & 1) === 0) continue;
        // Bit k of `together` is set where k members of both, `size` of them on the left, come to the total.
        const together = (others << size) & fitting;
        for (let both = size; together >>> both !== 0 && both < sizeBits; both += 1) {
          if (((together >>> both) & 1) === 1 && !take(total, size, right.lowest + other, both - size)) return false;
        }
      }
    }
  }
  return true;
};

const extentOf = (amounts: Float64Array, from: number, to: number): { readonly negative: number; readonly positive: number } => {
  let [negative, positive] = [0, 0];
  for (let position = from; position < to; position += 1) {
    const amount = amounts[position] as number;
    if (amount < 0) negative += amount;
    else positive += amount;
  }
  return { negative, positive };
};

/**
 * Negative amounts come first, so that from there on totals only grow and those beyond `highest` can be left out; and of either sign
 * the smallest, so that the table fills late.
 */
const tableOf = (amounts: Float64Array, from: number, to: number, highest: number, budget: Budget): Table | undefined => {
  const { negative, positive } = extentOf(amounts, from, to);
  const last = Math.min(positive, highest) - negative;
  if (last < 0) return { lowest: negative, sizes: new Int32Array(0) };
  const sizes = new Int32Array(Math.max(last, -negative) + 1);
  sizes[-negative] = 1;
  let [low, high] = [-negative, -negative];
  for (let position = to - 1; position >= from; position -= 1) {
    const amount = amounts[position] as number;
    if (amount >= 0) continue;
    low += amount;
    for (let index = low; index <= high + amount; index += 1) {
      sizes[index] = (sizes[index] as number) | ((sizes[index - amount] as number) << 1);
    }
    budget.left -= (high + amount - low + 1) / cellsPerStep;
    if (budget.left < 0) return undefined;
  }
  for (let position = to - 1; position >= from; position -= 1) {
    const amount = amounts[position] as number;
    if (amount < 0) continue;
    high = Math.min(high + amount, sizes.length - 1);
    for (let index = high; index >= low + amount; index -= 1) {
      sizes[index] = (sizes[index] as number) | ((sizes[index - amount] as number) << 1);
    }
    budget.left -= Math.max(high - low - amount + 1, 0) / cellsPerStep;
    if (budget.left < 0) return undefined;
  }
  return { lowest: negative, sizes };
};
