/** Why an open record has no counterpart: who came nearest, what stood in the way, the least that would have to give, and at what price. */
import type { Rules } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import { type ApartRows, apartIn } from '../apart.ts';
import type { RecordBatch } from '../batch.ts';
import { type Given, type Reconciliation, reconcile } from '../reconcile.ts';
import { conditionsOf } from '../results/explain-result.ts';
import type { ConditionResult } from '../results/result.ts';
import { type Effect, effectOf } from './effect.ts';
import { nearest } from './nearest.ts';
import { type Edit, smallestChange } from './smallest-change.ts';

export interface WhyNotCandidate {
  /** The row of the other side. */
  readonly row: number;
  readonly pass: string;
  readonly failed: readonly ConditionResult[];
  /** The place of the result that has this record, where it is taken. */
  readonly takenBy: number | null;
  readonly smallestChange: readonly Edit[] | null;
  readonly effect: Effect | null;
  /** Why there is no effect: no time was left for it, or no rule brings together what a person has taken apart. */
  readonly effectReason?: 'budget' | 'taken_apart';
}

export interface WhyNotNeeds {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  readonly asOf: number;
  readonly given?: readonly Given[];
  readonly apart?: readonly ApartRows[];
  /** What these rules said of these records. */
  readonly now: Reconciliation;
  /** Whether no time is left to run the rules once more. */
  readonly isOver: () => boolean;
}

const candidatesMax = 5;

/** Stops a run whose answer nobody waits for any more. */
class OutOfTime extends Error {}

export const whyNot = (needs: WhyNotNeeds, side: Side, row: number): WhyNotCandidate[] => {
  const { source, target, rules, now } = needs;
  const taken = apartIn(needs.apart ?? []);
  return nearest({ source, target, rules, judgesOf: now.judgesOf }, side, row, candidatesMax).map((near) => {
    const [s, t] = side === 'source' ? [row, near.row] : [near.row, row];
    const judges = now.judgesOf(near.pass);
    const all = conditionsOf(judges, s, t);
    const isApart = taken?.isPair('matched', s, t) === true;
    const change = isApart ? undefined : smallestChange(rules, { ...near, verdicts: all, weights: judges.map(({ weight }) => weight) });
    const effect = change === undefined ? null : tryEffect(needs, change.rules);
    return {
      row: near.row,
      pass: rules.passes[near.pass]?.name ?? '',
      failed: near.failed.map((index) => all[index] as ConditionResult),
      takenBy: now.placeOf(side === 'source' ? 'target' : 'source', near.row),
      smallestChange: change?.edits ?? null,
      effect,
      ...(isApart
        ? { effectReason: 'taken_apart' as const }
        : change !== undefined && effect === null
          ? { effectReason: 'budget' as const }
          : {}),
    };
  });
};

const tryEffect = ({ source, target, asOf, given = [], apart = [], now, isOver }: WhyNotNeeds, rules: Rules): Effect | null => {
  if (isOver()) return null;
  try {
    const onProgress = (): void => {
      if (isOver()) throw new OutOfTime();
    };
    return effectOf(now.results, reconcile({ source, target, rules, asOf, given, apart, onProgress }).results, source);
  } catch (error) {
    if (error instanceof OutOfTime) return null;
    // The change would ask for more pairs than may be held: there is no price to tell.
    if (error instanceof Error && error.name === 'TooManyCandidates') return null;
    throw error;
  }
};
