/** Names compared within their blocks. */
import { agree, type Figure, warmMs } from '../measure/figures.ts';
import type { Suite } from './suite.ts';

/** Until all of it is compiled, it takes three or four. */
const calls = 15;

export const similarityFigures = async ({ inTurn }: Suite): Promise<Figure[]> => {
  const { skyra, fastest, duckdb, jaroWinkler, levenshtein } = await inTurn({
    skyra: ['peers/skyra-jaro-winkler', calls],
    jaroWinkler: ['own/similarity', 'jaroWinkler', calls],
    fastest: ['peers/fastest-levenshtein', calls],
    levenshtein: ['own/similarity', 'levenshtein', calls],
    duckdb: ['peers/duckdb-similarity', 1],
  });
  agree('the sum of Jaro-Winkler similarities', { DuckDB: [duckdb, 'jaroWinkler'], Settler: [jaroWinkler, 'jaroWinkler'] });
  agree('the sum of Levenshtein similarities', {
    DuckDB: [duckdb, 'levenshtein'],
    'fastest-levenshtein': [fastest, 'levenshtein'],
    Settler: [levenshtein, 'levenshtein'],
  });
  return [
    {
      name: 'Jaro-Winkler, comparisons per second / @skyra',
      value: warmMs(skyra, 'jaroWinkler') / warmMs(jaroWinkler, 'jaroWinkler'),
      unit: '×',
      least: 4,
    },
    {
      name: 'Levenshtein, comparisons per second / fastest-lev.',
      value: warmMs(fastest, 'levenshtein') / warmMs(levenshtein, 'levenshtein'),
      unit: '×',
      least: 2.5,
    },
  ];
};
