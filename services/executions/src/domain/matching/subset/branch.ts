/**
 * Branch and bound: members are chosen from the greatest amount down, and a branch is left as soon as even the best of what remains
 * cannot bring the sum or the number of members within the bounds. Finds a subset at once where there are many, in any number of
 * candidates; to prove that there is none, or one alone, may take for ever.
 */
import type { Budget, Problem, Witnesses } from './problem.ts';

/** @returns whether all was looked at, or two found. */
export const branch = (problem: Problem, budget: Budget, witnesses: Witnesses): boolean => {
  const { amounts, candidates, least, most, sizeMin, sizeMax, slack } = problem;
  const count = amounts.length;
  const isMixed = amounts.some((amount) => amount < 0);
  const reach = isMixed ? reachOfMixed(amounts) : reachOfPositives(amounts);
  const chosen: number[] = [];
  const [bottom, top] = [least - slack, most + slack];

  const extend = (from: number, sum: number): boolean => {
    const wanted = Math.max(1, sizeMin - chosen.length);
    const room = sizeMax - chosen.length;
    // Where something negative follows, what is too much now may still be brought back.
    const first = isMixed ? from : firstUpTo(amounts, from, top - sum);
    for (let next = first; next < count; next += 1) {
      budget.left -= 1;
      if (budget.left < 0) return false;
      if (count - next < wanted || sum + reach.highest(next, wanted, room) < bottom || sum + reach.lowest(next, wanted, room) > top) break;
      // Of equal amounts only the first ones are chosen; that others could stand in for them is seen when a subset is found.
      if (next > first && amounts[next] === amounts[next - 1]) continue;
      const total = sum + (amounts[next] as number);
      chosen.push(next);
      if (total >= bottom && total <= top && chosen.length >= sizeMin) {
        witnesses.add(chosen.map((position) => candidates[position] as number));
        addTwin(problem, chosen, witnesses);
      }
      const isDone = witnesses.areTwo() || room === 1 || extend(next + 1, total);
      chosen.pop();
      if (witnesses.areTwo()) return true;
      if (!isDone) return false;
    }
    return true;
  };
  return extend(0, 0);
};

/** Where a member's equal was not chosen, the two may be swapped. */
const addTwin = ({ amounts, candidates }: Problem, chosen: readonly number[], witnesses: Witnesses): void => {
  const index = chosen.findIndex((position, at) => amounts[position] === amounts[position + 1] && chosen[at + 1] !== position + 1);
  if (index === -1) return;
  const twins = chosen.with(index, (chosen[index] as number) + 1);
  witnesses.add(twins.map((position) => candidates[position] as number));
};

/** What a number of members, `few` to `many` of those from a position on, can add at most and at least. */
interface Reach {
  readonly highest: (from: number, few: number, many: number) => number;
  readonly lowest: (from: number, few: number, many: number) => number;
}

const reachOfPositives = (amounts: Float64Array): Reach => {
  const count = amounts.length;
  const sums = new Float64Array(count + 1);
  for (let index = 0; index < count; index += 1) sums[index + 1] = (sums[index] as number) + (amounts[index] as number);
  return {
    highest: (from, _, many) => (sums[Math.min(from + many, count)] as number) - (sums[from] as number),
    lowest: (_, few) => (sums[count] as number) - (sums[count - few] as number),
  };
};

const reachOfMixed = (amounts: Float64Array): Reach => {
  const count = amounts.length;
  const positives = [0];
  const negatives = [0];
  const positivesBefore = new Int32Array(count + 1);
  for (let index = 0; index < count; index += 1) {
    const amount = amounts[index] as number;
    const sums = amount < 0 ? negatives : positives;
    sums.push((sums[sums.length - 1] as number) + amount);
    positivesBefore[index + 1] = (positivesBefore[index] as number) + (amount < 0 ? 0 : 1);
  }
  /** As many of the wanted sign as do good, the greatest first; where that is too few, the smallest of the other sign besides. */
  const extreme = (good: readonly number[], bad: readonly number[], before: number, few: number, many: number): number => {
    const last = good.length - 1;
    const size = Math.max(few, Math.min(last - before, many));
    const start = good[before] as number;
    const short = before + size - last;
    if (short <= 0) return (good[before + size] as number) - start;
    return (good[last] as number) - start + ((bad[bad.length - 1] as number) - (bad[bad.length - 1 - short] as number));
  };
  return {
    highest: (from, few, many) => extreme(positives, negatives, positivesBefore[from] as number, few, many),
    lowest: (from, few, many) => extreme(negatives, positives, from - (positivesBefore[from] as number), few, many),
  };
};

/** The first position, of those from some position on, whose amount is no more than there is room for. */
const firstUpTo = (amounts: Float64Array, from: number, room: number): number => {
  let low = from;
  let high = amounts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((amounts[middle] as number) > room) low = middle + 1;
    else high = middle;
  }
  return low;
};
