/** Settler's measures of similarity: every name is prepared once, as a pass does, and then compared with its block. `similarity.ts KIND CALLS` */
import { createSimilarity } from '../../services/executions/src/domain/matching/similarity/similarity.ts';
import { blocks, pairCount, reportCompared } from '../measure/compared.ts';

const kinds = { jaroWinkler: 'jaro-winkler', levenshtein: 'levenshtein' } as const;
const [kind = '', warmCalls = '0'] = process.argv.slice(2);
if (kind !== 'jaroWinkler' && kind !== 'levenshtein') throw new Error(`there is no measure ${kind}`);
const { names, ones, others } = blocks();

await reportCompared(kind, Number(warmCalls), () => {
  // Without a threshold, so that no pair is given up early.
  const { prepare, compare } = createSimilarity(kinds[kind], 0);
  const prepared = names.map(prepare);
  type Prepared = (typeof prepared)[number];
  let sum = 0;
  for (let pair = 0; pair < pairCount; pair += 1) {
    sum += Math.round(compare(prepared[ones[pair] as number] as Prepared, prepared[others[pair] as number] as Prepared) * 1e6);
  }
  return sum;
});
