/** `skyra-jaro-winkler.ts CALLS` */
import { jaroWinkler } from '@skyra/jaro-winkler';
import { blocks, pairCount, reportCompared } from '../measure/compared.ts';

const { names, ones, others } = blocks();

await reportCompared('jaroWinkler', Number(process.argv[2]), () => {
  let sum = 0;
  for (let pair = 0; pair < pairCount; pair += 1) {
    sum += Math.round(jaroWinkler(names[ones[pair] as number] as string, names[others[pair] as number] as string) * 1e6);
  }
  return sum;
});
