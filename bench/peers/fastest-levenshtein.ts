/** `fastest-levenshtein.ts CALLS` */
import { distance } from 'fastest-levenshtein';
import { blocks, pairCount, reportCompared } from '../measure/compared.ts';

const { names, ones, others } = blocks();

await reportCompared('levenshtein', Number(process.argv[2]), () => {
  let sum = 0;
  for (let pair = 0; pair < pairCount; pair += 1) {
    const one = names[ones[pair] as number] as string;
    const other = names[others[pair] as number] as string;
    sum += Math.round((1 - distance(one, other) / Math.max(one.length, other.length)) * 1e6);
  }
  return sum;
});
