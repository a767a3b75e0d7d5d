/**
 * The bounded search for a subset: of records that may belong to one amount, those that come to it. Nothing is taken that could as
 * well have been something else, and what could not be searched to the end within its steps is said to be so.
 */
import { branch } from './branch.ts';
import { type Budget, createWitnesses, problemOf, slackOf, type Witnesses } from './problem.ts';
import { findRuns } from './runs.ts';

export interface SubsetQuestion {
  /** Minor units, whole. The candidates are in the order of their dates, and then of what they say. */
  readonly amounts: Float64Array;
  readonly days: Int32Array;
  /** Of the sum, both included. */
  readonly least: number;
  readonly most: number;
  readonly sizeMin: number;
  readonly sizeMax: number;
  /** Some 10 ns each. Steps and not time, so that the answer is the same on every machine. */
  readonly stepsMax: number;
}

export type SubsetAnswer =
  /** `window`: the only run of consecutive candidates that fits; `only`: the only subset. Members are indexes of candidates. */
  | { readonly kind: 'found'; readonly members: Int32Array; readonly how: 'window' | 'only' }
  | { readonly kind: 'ambiguous'; readonly first: Int32Array; readonly second: Int32Array }
  | { readonly kind: 'none' }
  | { readonly kind: 'budget' };

export const searchSubset = (question: SubsetQuestion): SubsetAnswer => {
  const { amounts, least, most, sizeMin, sizeMax, stepsMax } = question;
  const slack = slackOf(amounts, least, most);
  const budget: Budget = { left: stepsMax };
  const candidates = Int32Array.from({ length: amounts.length }, (_, index) => index);
  const runs = createWitnesses({ amounts, candidates, least, most, slack });
  if (!findRuns({ ...question, slack }, budget, runs)) return { kind: 'budget' };
  if (runs.found.length > 0) return answerOf(runs, 'window');

  const problem = problemOf(amounts, least, most, sizeMin, sizeMax, slack);
  if (problem === undefined) return { kind: 'none' };
  const subsets = createWitnesses(problem);
  // One that was found is not known to be the only one until all was looked at.
  if (!branch(problem, budget, subsets)) return { kind: 'budget' };
  return answerOf(subsets, 'only');
};

const answerOf = ({ found: [first, second] }: Witnesses, how: 'window' | 'only'): SubsetAnswer => {
  if (first === undefined) return { kind: 'none' };
  return second === undefined ? { kind: 'found', members: first, how } : { kind: 'ambiguous', first, second };
};
