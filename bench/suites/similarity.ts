/** Names compared within their blocks. */
import { agree, type Figure, warmMs } from '../measure/figures.ts';
import type { Suite } from './suite.ts';

export const similarityFigures = async ({ inTurn }: Suite): Promise<Figure[]> => {
  const { skyra, fastest, duckdb, jaroWinkler, levenshtein } = await inTurn({
    skyra: ['peers/skyra-jaro-winkler', 5],
    jaroWinkler: ['own/similarity', 'jaroWinkler', 5],
    fastest: ['peers/fastest-levenshtein', 5],
    levenshtein: ['own/similarity', 'levenshtein', 5],
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
