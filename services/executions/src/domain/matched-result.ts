import type { MatchResult } from './matching/results/result.ts';
import type { ItemKey } from './open-items.ts';

/** One result, with everything that is stored of it: its records themselves, where the engine knows rows. */
export interface MatchedResult extends Omit<MatchResult, 'source' | 'target'> {
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
