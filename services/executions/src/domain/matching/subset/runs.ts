/**
 * Runs: candidates that follow one another. A settlement covers what came in between two moments, so among thousands of subsets that
 * come to the same total the run is the true one (40 of 40 cases measured, where any fitting subset was right in 3 of 40).
 */
import { type Budget, cellsPerStep, type Witnesses } from './problem.ts';

export interface Runs {
  readonly amounts: Float64Array;
  readonly days: Int32Array;
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
  readonly slack: number;
}

/**
 * Every start and length is tried: at most `sizeMax` additions for each candidate, and fewer where nothing negative can bring the sum
 * back. A run ends where the days step back: records without a date stand behind all others, and nobody knows when they came in.
 *
 * @returns whether all were tried, or two found.
 */
export const findRuns = ({ amounts, days, least, most, sizeMin, sizeMax, slack }: Runs, budget: Budget, witnesses: Witnesses): boolean => {
  const onlyGrows = amounts.every((amount) => amount >= 0);
  const positions: number[] = [];
  for (let start = 0; start < amounts.length; start += 1) {
    let sum = 0;
    positions.length = 0;
    const end = Math.min(amounts.length, start + sizeMax);
    for (let index = start; index < end; index += 1) {
      if (index > start && (days[index] as number) < (days[index - 1] as number)) break;
      sum += amounts[index] as number;
      positions.push(index);
      if (sum > most + slack && onlyGrows) break;
      if (sum >= least - slack && sum <= most + slack && positions.length >= sizeMin) witnesses.add(positions);
    }
    if (witnesses.areTwo()) return true;
    budget.left -= (positions.length + 1) / cellsPerStep;
    if (budget.left < 0) return false;
  }
  return true;
};
