import type { Fields } from './matching/batch.ts';
import type { RecordBytes } from './matching/record-bytes.ts';
import type { MatchResult } from './matching/results/result.ts';
import type { ItemKey } from './open-items.ts';
import type { Side } from './side.ts';

/** One result, with everything that is stored of it: its records themselves, where the engine knows rows. */
export interface MatchedResult extends Omit<MatchResult, 'source' | 'target' | 'runnerUp' | 'given'> {
  /** Only where there was one. */
  readonly runnerUp?: NextBest | undefined;
  /** Of a match by hand: who made it, when and why. */
  readonly manual?: Manual | undefined;
  /** Where it needs somebody: of those without ids that say the same, which one it is, from 1. */
  readonly occurrence?: number | undefined;
  readonly source: readonly MatchedRecord[];
  readonly target: readonly MatchedRecord[];
}

/** Whom one of the two records could have been matched with instead. */
export interface NextBest {
  /** Where it stands; the other one is the match's own. */
  readonly side: Side;
  readonly record: Fields;
  /** Of that pair, 0 to 1. */
  readonly score: number;
}

export interface Manual {
  /** The match, which is the result that it was made as. */
  readonly matchId: string;
  readonly by: { readonly type: string; readonly id: string };
  /** An instant. */
  readonly at: string;
  readonly note: string | null;
  /** The second person, where it took one. */
  readonly approvedBy?: { readonly type: string; readonly id: string };
}

export interface MatchedRecord {
  readonly currency: string;
  /** Its amount in minor units; null where none could be read. */
  readonly units: number | null;
  /** It was an open item of an earlier run that this run's input did not deliver again. */
  readonly carried: boolean;
  /** Which open item it is, or becomes where it stays without counterpart. Absent for records that never were one. */
  readonly openItem?: ItemKey | undefined;
  readonly record: Readonly<Record<string, unknown>>;
  /** Where it can be written without the record itself: its row, and what writes it. */
  readonly row?: number;
  readonly bytes?: RecordBytes | undefined;
}
