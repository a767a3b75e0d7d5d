/** The whole engine, against what only joins and against what people write themselves. */
import { agree, coldMs, type Figure, peakMb, shown, warmMs } from '../measure/figures.ts';
import { bestBandMs, type JoinRuns } from './joins.ts';
import type { Suite } from './suite.ts';

export const engineFigures = async ({ sizes, inTurn }: Suite, { duckdb }: JoinRuns): Promise<Figure[]> => {
  const { engine, map, alone, duckdbAlone } = await inTurn({
    engine: ['own/engine', sizes.whole, 2],
    map: ['peers/map-of-objects', sizes.whole, 0],
    // One call each, since later ones would need what earlier ones left to the collector.
    alone: ['own/engine', sizes.whole, 0],
    duckdbAlone: ['peers/duckdb', 'joins', sizes.whole, 0],
  });
  agree('the join by reference', { DuckDB: [duckdb, 'key'], 'a Map of objects': [map, 'key'] });
  agree('the join by amount and date', { DuckDB: [duckdb, 'bandOfWeeks'], 'a Map of objects': [map, 'band'] });

  const small = await inTurn({
    // Of so few rows it takes some dozens of calls until all of it is compiled.
    engine: ['own/engine', sizes.small, 60],
    nested: ['peers/nested-loops', sizes.small],
    map: ['peers/map-of-objects', sizes.small, 2],
    everything: ['own/engine', sizes.small, 2, 'everything'],
  });
  agree('the join by reference', { 'nested loops': [small.nested, 'key'], 'a Map of objects': [small.map, 'key'] });
  agree('the join by amount and date', { 'nested loops': [small.nested, 'band'], 'a Map of objects': [small.map, 'band'] });

  const growth = await inTurn({ half: ['own/engine', sizes.half, 2], double: ['own/engine', sizes.double, 2] });
  const engineMs = warmMs(engine, 'bothPasses');
  const of = (other: number): number => engineMs / other;
  // A run of the service is always the first of its thread, and pays for the compiler.
  const first =
    coldMs(engine, 'bothPasses') / (coldMs(duckdb, 'key') + Math.min(coldMs(duckdb, 'bandOfWeeks'), coldMs(duckdb, 'bandOfPacked')));
  console.log(`first calls of a process alone, the engine / DuckDB's two joins: ${shown(first)} ×`);
  return [
    { name: "the engine / DuckDB's two joins", value: of(warmMs(duckdb, 'key') + bestBandMs(duckdb)), unit: '×', most: 1 },
    { name: 'the engine / two joins in a Map of objects', value: of(warmMs(map, 'key') + warmMs(map, 'band')), unit: '×', most: 0.15 },
    {
      name: 'the engine / two joins in nested loops, 10k',
      value: warmMs(small.engine, 'bothPasses') / (warmMs(small.nested, 'key') + warmMs(small.nested, 'band')),
      unit: '×',
      most: 0.01,
    },
    { name: "peak memory / DuckDB's", value: peakMb(alone) / peakMb(duckdbAlone), unit: '×', most: 0.75 },
    {
      name: 'time for twice the rows',
      value: warmMs(growth.double, 'bothPasses') / warmMs(growth.half, 'bothPasses'),
      unit: '×',
      most: 2.4,
    },
  ];
};
