/** The two joins by themselves, and what it takes to get the files to where they can be joined. */
import { agree, type Figure, type Runs, warmMs } from '../measure/figures.ts';
import type { Suite } from './suite.ts';

const bandForms = ['bandOf21', 'bandOfPacked', 'bandOfWeeks'] as const;

/** Of the forms that are known for it, the one that was the fastest in this run. */
export const bestBandMs = (duckdb: Runs): number => Math.min(...bandForms.map((form) => warmMs(duckdb, form)));

export interface JoinRuns {
  readonly duckdb: Runs;
}

export const joinFigures = async ({ sizes, inTurn }: Suite): Promise<{ readonly runs: JoinRuns; readonly figures: Figure[] }> => {
  const { duckdb, kernels, load, columns } = await inTurn({
    duckdb: ['peers/duckdb', 'joins', sizes.whole, 3],
    kernels: ['own/kernels', sizes.whole, 3],
    load: ['peers/duckdb', 'load', sizes.whole],
    columns: ['own/columns', sizes.whole],
  });
  agree('the join by reference', { DuckDB: [duckdb, 'key'], Settler: [kernels, 'key'] });
  for (const form of bandForms) agree(`the join by amount and date (${form})`, { DuckDB: [duckdb, form], Settler: [kernels, 'band'] });
  agree('rows read', { DuckDB: [load, 'load'], Settler: [columns, 'load'] });
  return {
    runs: { duckdb },
    figures: [
      { name: 'join by reference / DuckDB', value: warmMs(kernels, 'key') / warmMs(duckdb, 'key'), unit: '×', most: 0.5 },
      { name: 'join by amount and date / DuckDB', value: warmMs(kernels, 'band') / bestBandMs(duckdb), unit: '×', most: 0.35 },
      { name: 'CSV to columns / DuckDB', value: warmMs(columns, 'load') / warmMs(load, 'load'), unit: '×', most: 0.6 },
    ],
  };
};
