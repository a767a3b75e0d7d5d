/** How alike two texts are, from 0 to 1. */
import type { FieldCondition } from '@settler/contracts/rules';
import { createJaroWinkler } from './jaro-winkler.ts';
import { createLevenshtein } from './levenshtein.ts';
import type { Measure } from './measure.ts';
import { createTokenSet, createTrigram } from './sets.ts';

export type Similarity = Extract<FieldCondition, { type: 'fuzzy' }>['similarity'];

/** Units of UTF-16 that are looked at: names are shorter, and a field of megabytes must not take hours. */
const comparedMax = 256;

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
