/** Matches by hand that the rules, if they were asked, would break: they take one of the records for another match. */
import { sides } from '../side.ts';
import { type Given, type Input, reconcile } from './reconcile.ts';
import { outcomeIndex, rowsOf } from './results/columns.ts';

/** Of those that are given, one answer each. @throws TooManyCandidates */
export const contradicted = ({ given = [], ...input }: Input): boolean[] => {
  if (given.length === 0) return [];
  const matchOf = { source: new Map<number, Given>(), target: new Map<number, Given>() };
  for (const match of given) for (const side of sides) for (const row of match[side]) matchOf[side].set(row, match);
  const broken = new Set<Given>();
  const { results } = reconcile(input);
  for (let index = 0; index < results.length; index += 1) {
    if (results.outcomes[index] !== outcomeIndex.matched) continue;
    const owners = sides.flatMap((side) => rowsOf(results, side, index).map((row) => matchOf[side].get(row)));
    if (new Set(owners).size > 1) for (const match of owners) if (match !== undefined) broken.add(match);
  }
  return given.map((match) => broken.has(match));
};
