/**
 * What the rules have found of records that runs may be given again. Not what is known already: what was given by hand or keeps its match, and
 * open items that are so still.
 */
import { isLeftOpen } from '../open-items.ts';
import type { Side } from '../side.ts';
import { type RecordBatch, wasKnown } from './batch.ts';
import type { MatchResult } from './results/result.ts';

interface Taking {
  readonly batches: Readonly<Record<Side, RecordBatch>>;
  /** Rows that wait for others of a match by hand. */
  readonly waiting: Readonly<Record<Side, ReadonlySet<number>>>;
}

export const isFinding = ({ outcome, pass, source, target }: MatchResult, { batches, waiting }: Taking): boolean => {
  if (outcome === 'matched') return pass !== null;
  if (outcome === 'mismatched' || outcome === 'ambiguous') return true;
  if (!isLeftOpen(outcome)) return false;
  const side = source.length > 0 ? 'source' : 'target';
  const [row = -1] = side === 'source' ? source : target;
  return !wasKnown(batches[side], row) && !waiting[side].has(row);
};
