/** What every measure of likeness can do. What depends on one text alone is made once, and compared with many. */
export interface Measure<Prepared> {
  readonly prepare: (text: string) => Prepared;
  /**
   * Writes how alike `one` and each of the first `count` of the others are, in their order. NaN stands for below the threshold,
   * which is often seen long before the similarity is known.
   */
  readonly compare: (one: Prepared, others: readonly Prepared[], count: number, similarities: Float64Array) => void;
}

/** Units of UTF-16 that are looked at: names are shorter, and a field of megabytes must not take hours. */
export const comparedMax = 256;

export const eachBy =
  <Prepared>(threshold: number, similarityOf: (one: Prepared, other: Prepared) => number): Measure<Prepared>['compare'] =>
  (one, others, count, similarities) => {
    for (let index = 0; index < count; index += 1) {
      const similarity = similarityOf(one, others[index] as Prepared);
      similarities[index] = similarity < threshold ? Number.NaN : similarity;
    }
  };
