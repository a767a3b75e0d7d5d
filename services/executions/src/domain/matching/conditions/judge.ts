/** What every kind of condition can do. Judging is kept apart from telling: millions of pairs are judged, and few are told of. */
import type { Key } from '../join/keys.ts';
import type { AmountBand, DayBand } from '../join/sweep.ts';

/** What a condition says of a pair, for a person. */
export interface Verdict {
  readonly source: string | null;
  readonly target: string | null;
  /** target − source: a decimal text for amounts and numbers, days for dates. Of another currency, target − converted, in that of the target. */
  readonly delta?: string | number | undefined;
  /** Of an amount after a fee: target − what was to arrive. A fee is no part of the delta. */
  readonly fromExpected?: string | undefined;
  /** Of an amount in another currency: the rate, and what the source is by it. */
  readonly rate?: string | undefined;
  readonly converted?: string | undefined;
  /** Why nothing can be compared, in words, where that is not to be seen. */
  readonly reason?: string | undefined;
}

/** How a condition finds the counterparts of a record, where it can. */
export type Finder =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'amount'; readonly band: AmountBand }
  | { readonly kind: 'day'; readonly band: DayBand }
  | { readonly kind: 'any'; readonly of: readonly Judge[] };

export interface Judge {
  readonly type: string;
  /** The field's name on the source, for a person. */
  readonly field: string;
  readonly verify: boolean;
  readonly weight: number;
  readonly finder?: Finder;
  /**
   * Scores of `count` pairs: 1 for equal, falling to 0 at the bound; NaN where the condition fails. Pairs of one source mostly stand
   * together.
   */
  readonly judge: (sources: Int32Array, targets: Int32Array, count: number, scores: Float64Array) => void;
  readonly tell: (source: number, target: number) => Verdict;
}
