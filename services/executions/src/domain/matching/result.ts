/** What the engine says: every record in exactly one result. */
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import type { Edge } from './assignment/graph.ts';
import type { RecordBatch } from './batch.ts';

export interface ConditionResult {
  readonly field: string;
  readonly type: string;
  readonly source: string | null;
  readonly target: string | null;
  /** target − source. */
  readonly delta?: string | number;
  readonly score: number;
  readonly passed: boolean;
}

export interface MatchResult {
  readonly outcome: Outcome;
  readonly pass: string | null;
  readonly cardinality: string | null;
  readonly score: number | null;
  readonly margin: number | null;
  readonly delta: { readonly amount: string | null; readonly days: number | null } | null;
  /** Of a mismatch: what differs first, of amount, date, field. */
  readonly category: 'amount_mismatch' | 'date_mismatch' | 'field_mismatch' | null;
  readonly reason: string | null;
  readonly line: number | null;
  readonly conditions: readonly ConditionResult[];
  /** Rows of the batches. */
  readonly source: readonly number[];
  readonly target: readonly number[];
  /** The best other pair that one of the two records could have been in; only where there was one. */
  readonly runnerUp?: Edge;
}

/** Rows that no result has yet. */
export interface Open {
  readonly source: ReadonlySet<number>;
  readonly target: ReadonlySet<number>;
}

export interface Reconciliation {
  readonly results: readonly MatchResult[];
  readonly summary: ExecutionSummary;
}

/** A result of one record. */
export const alone = (
  outcome: Outcome,
  side: 'source' | 'target',
  batch: RecordBatch,
  row: number,
  reason: string | null,
): MatchResult => ({
  outcome,
  pass: null,
  cardinality: null,
  score: null,
  margin: null,
  delta: null,
  category: null,
  reason,
  line: batch.lines[row] ?? null,
  conditions: [],
  source: side === 'source' ? [row] : [],
  target: side === 'target' ? [row] : [],
});
