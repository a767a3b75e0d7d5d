import type { Outcome } from '@settler/contracts/executions';
import type { ItemKey } from './open-items.ts';

/** One result, with everything that is stored of it. */
export interface MatchedResult {
  readonly outcome: Outcome;
  readonly pass: string | null;
  readonly cardinality: string | null;
  readonly score: number | null;
  readonly margin: number | null;
  readonly delta: { readonly amount: string | null; readonly days: number | null } | null;
  readonly category: string | null;
  readonly reason: string | null;
  readonly line: number | null;
  /** The last day on which a missing counterpart may still come; until then the record is open, and no exception. */
  readonly dueOn?: string;
  readonly conditions: readonly unknown[];
  readonly source: readonly MatchedRecord[];
  readonly target: readonly MatchedRecord[];
}

export interface MatchedRecord {
  readonly currency: string;
  /** Null where no amount could be read. */
  readonly amountMinor: bigint | null;
  /** It was an open item of an earlier run that this run's input did not deliver again. */
  readonly carried: boolean;
  /** Which open item it is, or becomes where it stays without counterpart. Absent for records that never were one. */
  readonly openItem?: ItemKey;
  readonly record: Readonly<Record<string, unknown>>;
}
