/** What every measure of likeness can do. What depends on one text alone is made once, and compared with many. */
export interface Measure<Prepared> {
  readonly prepare: (text: string) => Prepared;
  /** NaN below the threshold, which is often seen long before the similarity is known. Comparing one text with many in a row is fastest. */
  readonly compare: (one: Prepared, other: Prepared) => number;
}
