/** What every kind of condition can do. Judging is kept apart from telling: millions of pairs are judged, and few are told of. */

/** What a condition says of a pair, for a person. */
export interface Verdict {
  readonly source: string | null;
  readonly target: string | null;
  /** target − source: a decimal string for amounts, days for dates. */
  readonly delta?: string | number;
}

export interface Judge {
  /** 1 for equal, falling to 0 at the bound; undefined where the condition fails. */
  readonly scoreOf: (source: number, target: number) => number | undefined;
  readonly tell: (source: number, target: number) => Verdict;
}
