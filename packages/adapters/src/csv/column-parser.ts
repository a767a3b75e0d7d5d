/** Blocks of UTF-8 in, chunks of columns out. */
import { type BuiltChunk, type ChunkBuilder, chunkBuilder } from '../columns/chunk-builder.ts';
import { layOut } from '../fields/layout.ts';
import type { ReadLimits } from '../reader.ts';
import { emptyFile } from './faults.ts';
import { cellScanner } from './scan.ts';
import { type CsvTable, tableIn } from './table.ts';

export type ColumnParser = {
  /** Before the next block, `next` must have answered that there is nothing left of the last. */
  readonly push: (block: Uint8Array) => void;
  /** Throws `empty_file` where there was not even a header. */
  readonly finish: () => void;
  /** The next full chunk; where `flush`, of the rows there are. It lasts until the next is asked for. */
  readonly next: (flush: boolean) => BuiltChunk | undefined;
  readonly line: () => number;
  /** Rows that were held back because they may be the last: once `next` has nothing left, those that are. */
  readonly heldRows: () => number;
};

export const columnParser = (config: CsvTable, limits: ReadLimits): ColumnParser => {
  let builder: ChunkBuilder | undefined;
  const table = tableIn(config, limits, (options) =>
    cellScanner(options, {
      header: (cells, line) => {
        builder = chunkBuilder(layOut(config.fields, cells, line, limits), limits.rowsPerChunk, config.trailerRows ?? 0);
      },
      rows: (cells, isMore) => builder?.offer(cells, isMore),
    }),
  );
  return {
    push: table.push,
    finish: () => {
      table.finish();
      if (builder === undefined) throw emptyFile((config.skipRows ?? 0) + 1);
    },
    next: (flush) => builder?.next(flush),
    heldRows: () => builder?.heldRows() ?? 0,
    line: table.line,
  };
};
