/** Blocks of UTF-8 in, chunks of columns out. */
import { type BuiltChunk, type ChunkBuilder, chunkBuilder } from '../columns/chunk-builder.ts';
import { layOut } from '../fields/layout.ts';
import type { ReadLimits } from '../reader.ts';
import { emptyFile } from './faults.ts';
import { cellScanner } from './scan.ts';
import { type CsvTable, tableIn } from './table.ts';

export type ColumnParser = {
  readonly push: (block: Uint8Array) => void;
  /** Throws `empty_file` where there was not even a header. */
  readonly finish: () => void;
  /** Makes a chunk of the rows there are. */
  readonly flush: () => void;
  /** The chunks that are ready, once. */
  readonly take: () => BuiltChunk[];
  readonly line: () => number;
};

export const columnParser = (config: CsvTable, limits: ReadLimits): ColumnParser => {
  let builder: ChunkBuilder | undefined;
  const table = tableIn(config, limits, (options) =>
    cellScanner(options, {
      header: (cells, line) => {
        builder = chunkBuilder(layOut(config.fields, cells, line, limits), limits.rowsPerChunk, config.trailerRows ?? 0);
      },
      rows: (cells) => builder?.add(cells),
    }),
  );
  return {
    push: table.push,
    finish: () => {
      table.finish();
      if (builder === undefined) throw emptyFile((config.skipRows ?? 0) + 1);
    },
    flush: () => builder?.flush(),
    take: () => builder?.chunks.splice(0) ?? [],
    line: table.line,
  };
};
