/**
 * The engine: pure, exact, complete. Passes run in order; a record that one pass takes is gone for the next. Pairs that belong
 * together and differ are fixed only after all passes, so that a later pass may still find a true match. Input order decides nothing.
 */
import type { Outcome } from '@settler/contracts/executions';
import type { Rules } from '@settler/contracts/rules';
import type { RecordBatch } from './batch.ts';
import { flagDuplicates } from './duplicates.ts';
import { type Judgement, judgePass } from './judgement.ts';
import { alone, type MatchResult, type Reconciliation } from './result.ts';
import { settle, tieOrderOf } from './settlement.ts';
import { summarize } from './summary.ts';

export interface Input {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  /** Told of finished passes; throwing from it stops the run. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** @throws TooManyCandidates where a pass leaves more candidates than it may hold */
export const reconcile = ({ source, target, rules, onProgress = () => {} }: Input): Reconciliation => {
  const open = { source: usableRows(source), target: usableRows(target) };
  const results = [...unusable('source', source), ...unusable('target', target)];
  const take = (found: readonly MatchResult[]): void => {
    for (const result of found) {
      for (const row of result.source) open.source.delete(row);
      for (const row of result.target) open.target.delete(row);
      results.push(result);
    }
  };
  const order = tieOrderOf(source, target, rules);
  const judgements: Judgement[] = [];
  for (const [index, pass] of rules.passes.entries()) {
    const judgement = judgePass(pass, source, target, open);
    take(settle('matched', judgement.agreeing, judgement, rules, order));
    // The pairs that agree are done with; only those that differ are still needed.
    judgements.push({ ...judgement, agreeing: [] });
    onProgress(index + 1, rules.passes.length);
  }
  for (const judgement of judgements) {
    const still = judgement.differing.filter((edge) => open.source.has(edge.source) && open.target.has(edge.target));
    take(settle('mismatched', still, judgement, rules, order));
  }
  take(flagDuplicates(source, target, open, rules));
  for (const row of open.source) results.push(alone('missing_in_target', 'source', source, row, null));
  for (const row of open.target) results.push(alone('missing_in_source', 'target', target, row, null));
  results.sort(byNeedAndIdentity);
  return { results, summary: summarize(results, source, target) };
};

const usableRows = (batch: RecordBatch): Set<number> => new Set(batch.records.keys().filter((row) => batch.states[row] === 'usable'));

const unusable = (side: 'source' | 'target', batch: RecordBatch): MatchResult[] =>
  [...batch.records.keys()]
    .filter((row) => batch.states[row] !== 'usable')
    .map((row) => alone(batch.states[row] === 'repeated' ? 'duplicate' : 'invalid', side, batch, row, batch.reasons[row] ?? null));

/** What needs a person comes first. */
const needOf: Readonly<Record<Outcome, number>> = {
  mismatched: 0,
  ambiguous: 1,
  missing_in_target: 2,
  missing_in_source: 3,
  duplicate: 4,
  invalid: 5,
  matched: 6,
};

/** Rows are in the order of their identities, so that the order of results says nothing about the order of the input. */
const byNeedAndIdentity = (one: MatchResult, other: MatchResult): number =>
  needOf[one.outcome] - needOf[other.outcome] || first(one.source) - first(other.source) || first(one.target) - first(other.target);

/** Results of the source come before those that have only a target. */
const first = ([row = Number.MAX_SAFE_INTEGER]: readonly number[]): number => row;
