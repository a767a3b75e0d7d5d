/** How alike two texts are, from 0 to 1. */
import type { FieldCondition } from '@settler/contracts/rules';
import { createJaroWinkler } from './jaro-winkler.ts';
import { createLevenshtein } from './levenshtein.ts';
import type { Measure } from './measure.ts';
import { createTokenSet, createTrigram } from './sets.ts';

export type Similarity = Extract<FieldCondition, { type: 'fuzzy' }>['similarity'];

export const createSimilarity = (similarity: Similarity, threshold: number): Measure<unknown> => {
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

/** Of two texts alone; NaN below the threshold. */
export const similarityOf = (similarity: Similarity, threshold: number, one: string, other: string): number => {
  const { prepare, compare } = createSimilarity(similarity, threshold);
  const found = new Float64Array(1);
  compare(prepare(one), [prepare(other)], 1, found);
  return found[0] as number;
};
