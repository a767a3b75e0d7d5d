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
  const block: (typeof prepared)[number][] = [];
  const similarities = new Float64Array(names.length);
  let sum = 0;
  for (let pair = 0; pair < pairCount; ) {
    const one = ones[pair] as number;
    let count = 0;
    for (; ones[pair] === one; pair += 1, count += 1) block[count] = prepared[others[pair] as number];
    compare(prepared[one], block, count, similarities);
    for (let index = 0; index < count; index += 1) sum += Math.round((similarities[index] as number) * 1e6);
  }
  return sum;
});
