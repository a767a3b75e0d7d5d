/** Blocks of UTF-8 in, rows out. Synchronous and without a source, so that the reader streams a gigabyte through it and the schema checks inline content with it. */
import { layOut } from '../fields/layout.ts';
import type { ReadLimits, ReadRow } from '../reader.ts';
import { emptyFile } from './faults.ts';
import { rowReader } from './row.ts';
import { splitter } from './split.ts';
import { type CsvTable, tableIn } from './table.ts';

export type CsvParser = {
  readonly push: (block: Uint8Array) => void;
  /** Throws `empty_file` where there was not even a header. */
  readonly finish: () => void;
  /** Rows that are ready; the caller empties it. */
  readonly rows: ReadRow[];
  readonly line: () => number;
  /** Rows that were held back because they may be the last: once it has finished, those that are. */
  readonly heldRows: () => number;
};

export const csvParser = (config: CsvTable, limits: ReadLimits): CsvParser => {
  const { trailerRows = 0 } = config;
  const rows: ReadRow[] = [];
  // The last rows of the file are not records, and which they are shows only at its end: so many always wait.
  const waiting: ReadRow[] = [];
  let toRow: ReturnType<typeof rowReader> | undefined;

  const table = tableIn(config, limits, (options) =>
    splitter(options, (cells, line, malformed) => {
      if (toRow === undefined) {
        toRow = rowReader(layOut(config.fields, cells, line, limits));
        return;
      }
      const row = toRow(cells, line, malformed);
      if (trailerRows === 0) {
        rows.push(row);
        return;
      }
      waiting.push(row);
      const first = waiting.length > trailerRows ? waiting.shift() : undefined;
      if (first !== undefined) rows.push(first);
    }),
  );

  return {
    rows,
    line: table.line,
    heldRows: () => waiting.length,
    push: table.push,
    finish: () => {
      table.finish();
      if (toRow === undefined) throw emptyFile((config.skipRows ?? 0) + 1);
    },
  };
};
