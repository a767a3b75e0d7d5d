/**
 * Branch and bound: members are chosen from the greatest amount down, and a branch is left as soon as even the best of what remains
 * cannot bring the sum or the number of members within the bounds. Finds a subset at once where there are many, in any number of
 * candidates; to prove that there is none, or one alone, may take for ever.
 */
import type { Budget, Problem, Witnesses } from './problem.ts';

/** @returns whether all was looked at, or two found. */
export const branch = (problem: Problem, budget: Budget, witnesses: Witnesses): boolean => {
  const { amounts, least, most, sizeMin, sizeMax, slack } = problem;
  const count = amounts.length;
  const reach = reachOf(amounts);
  const firstUpTo = createFirstUpTo(amounts);
  const chosen: number[] = [];
  const [bottom, top] = [least - slack, most + slack];

  const extend = (from: number, sum: number): boolean => {
    const wanted = Math.max(1, sizeMin - chosen.length);
    const room = sizeMax - chosen.length;
    for (let next = firstUpTo(from, top - sum); next < count; next += 1) {
      budget.left -= 1;
      if (budget.left < 0) return false;
      if (count - next < wanted || sum + reach.highest(next, wanted, room) < bottom || sum + reach.lowest(next, wanted, room) > top) break;
      // Of equal amounts only the first ones are chosen; that others could stand in for them is seen when a subset is found.
      if (next > from && amounts[next] === amounts[next - 1] && chosen[chosen.length - 1] !== next - 1) continue;
      const total = sum + (amounts[next] as number);
      chosen.push(next);
      if (total >= bottom && total <= top && chosen.length >= sizeMin) {
        witnesses.add(chosen, chosen.length);
        addTwin(amounts, chosen, witnesses);
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
const addTwin = (amounts: Float64Array, chosen: readonly number[], witnesses: Witnesses): void => {
  for (let index = 0; index < chosen.length; index += 1) {
    const position = chosen[index] as number;
    if (amounts[position] !== amounts[position + 1] || chosen[index + 1] === position + 1) continue;
    witnesses.add(chosen.with(index, position + 1), chosen.length);
    return;
  }
};

/** The most and the least that a number of members, `few` to `many` of those from a position on, can add. */
const reachOf = (amounts: Float64Array) => {
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
    highest: (from: number, few: number, many: number): number => extreme(positives, negatives, positivesBefore[from] as number, few, many),
    lowest: (from: number, few: number, many: number): number =>
      extreme(negatives, positives, from - (positivesBefore[from] as number), few, many),
  };
};

/** The first position from some position on that adds no more than there is room for; where something negative follows, any may. */
const createFirstUpTo = (amounts: Float64Array): ((from: number, room: number) => number) => {
  const count = amounts.length;
  if (amounts.some((amount) => amount < 0)) return (from) => from;
  return (from, room) => {
    let low = from;
    let high = count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((amounts[middle] as number) > room) low = middle + 1;
      else high = middle;
    }
    return low;
  };
};
