/** How alike two texts are, from 0 to 1. What depends on one text alone is made once, and compared with many. */
import type { FieldCondition } from '@settler/contracts/rules';
import { createJaroWinkler } from './jaro-winkler.ts';
import { createLevenshtein } from './levenshtein.ts';
import { createTokenSet, createTrigram } from './sets.ts';

export interface Measure<Prepared> {
  readonly prepare: (text: string) => Prepared;
  /** NaN below the threshold, which is often seen long before the similarity is known. Comparing one text with many in a row is fastest. */
  readonly compare: (one: Prepared, other: Prepared) => number;
}

export type Similarity = Extract<FieldCondition, { type: 'fuzzy' }>['similarity'];

/** Units of UTF-16 that are looked at: names are shorter, and a field of megabytes must not take hours. */
export const comparedMax = 256;

export const createSimilarity = (similarity: Similarity, threshold: number): Measure<unknown> => {
  const measure = measureOf(similarity, threshold);
  return { ...measure, prepare: (text) => measure.prepare(text.slice(0, comparedMax)) };
};

const measureOf = (similarity: Similarity, threshold: number): Measure<unknown> => {
  switch (similarity) {
    case 'levenshtein':
      return createLevenshtein(threshold) as Measure<unknown>;
    case 'jaro-winkler':
      return createJaroWinkler(threshold) as Measure<unknown>;
    case 'token-set':
      return createTokenSet(threshold) as Measure<unknown>;
    case 'trigram':
      return createTrigram(threshold) as Measure<unknown>;
  }
};
