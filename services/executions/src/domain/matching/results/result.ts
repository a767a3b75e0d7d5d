/** What the engine says: every record in exactly one result. */
import type { Outcome } from '@settler/contracts/executions';

export interface ConditionResult {
  readonly field: string;
  readonly type: string;
  readonly source: string | null;
  readonly target: string | null;
  /** target − source; of another currency, target − `converted`, which is the source at `rate`. */
  readonly delta?: string | number | undefined;
  /** Of an amount after a fee: target − what was to arrive. */
  readonly fromExpected?: string | undefined;
  readonly rate?: string | undefined;
  readonly converted?: string | undefined;
  /** Why nothing could be compared. */
  readonly reason?: string | undefined;
  readonly score: number;
  readonly passed: boolean;
}

/** Of a mismatch: what differs first, of amount, date, field. */
export type MismatchCategory = 'amount_mismatch' | 'date_mismatch' | 'field_mismatch' | 'fee_mismatch';

/** target − source. */
export interface Delta {
  readonly amount: string | null;
  readonly days: number | null;
  /** Where there is a fee: target − what was to arrive. */
  readonly fromExpected?: string;
}

/** The best other pair that one of the two records could have been in. */
export interface RunnerUp {
  readonly source: number;
  readonly target: number;
  readonly score: number;
}

export interface MatchResult {
  readonly outcome: Outcome;
  readonly pass: string | null;
  readonly cardinality: string | null;
  readonly score: number | null;
  readonly margin: number | null;
  readonly delta: Delta | null;
  readonly category: MismatchCategory | null;
  readonly reason: string | null;
  readonly line: number | null;
  /** Of a record without counterpart: the last day on which one may still come. Until then it is open, and no exception. */
  readonly dueOn?: string | undefined;
  readonly conditions: readonly ConditionResult[];
  /** Rows of the batches. */
  readonly source: readonly number[];
  readonly target: readonly number[];
  /** Only where there was one. */
  readonly runnerUp?: RunnerUp | undefined;
  /** Of a match by hand: its place among those that the run was given. */
  readonly given?: number | undefined;
}

/** How many met how many. */
export const cardinalityOf = ({ source, target }: { readonly source: readonly unknown[]; readonly target: readonly unknown[] }): string =>
  [source, target].map(({ length }) => (length === 1 ? 'one' : 'many')).join('-to-');
