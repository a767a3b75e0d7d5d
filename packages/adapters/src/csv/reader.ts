/** Streams a CSV input, as rows or as columns. At any time it holds one block of bytes, the record that block leaves unfinished, and one chunk. */
import type { ColumnChunk, ReadColumns } from '../columns.ts';
import { defaultLimits, type Read, type ReadChunk } from '../reader.ts';
import { columnParser } from './column-parser.ts';
import type { CsvConfig } from './definition.ts';
import { feed, tellTooFew } from './feed.ts';
import { csvParser } from './parser.ts';

/** A chunk is also full when this much was read for it: a few rows of a megabyte each must not add up to gigabytes. */
const bytesPerChunk = 1024 * 1024;

export const read: Read<CsvConfig> = async function* (config, context) {
  const limits = { ...defaultLimits, ...context.limits };
  const parser = csvParser(config, limits);
  const { rows } = parser;
  let bytesReported = 0;
  for await (const { bytesRead, totalBytes, isLast } of feed(config, context, parser)) {
    while (rows.length >= limits.rowsPerChunk || (rows.length > 0 && (isLast || bytesRead - bytesReported >= bytesPerChunk))) {
      yield { rows: rows.splice(0, limits.rowsPerChunk), bytesRead, totalBytes } satisfies ReadChunk;
      bytesReported = bytesRead;
      context.signal.throwIfAborted();
    }
  }
  tellTooFew(config, context, parser.heldRows());
};

// Columns are the smaller form of rows, and cost something to begin: their chunks are larger.
const rowsPerColumnChunk = 65_536;
const bytesPerColumnChunk = 8 * 1024 * 1024;

export const readColumns: ReadColumns<CsvConfig> = async function* (config, context) {
  const limits = { ...defaultLimits, rowsPerChunk: rowsPerColumnChunk, ...context.limits };
  const parser = columnParser(config, limits);
  let bytesReported = 0;
  for await (const { bytesRead, totalBytes, isLast } of feed(config, context, parser)) {
    const flush = isLast || bytesRead - bytesReported >= bytesPerColumnChunk;
    for (let chunk = parser.next(flush); chunk !== undefined; chunk = parser.next(flush)) {
      yield { ...chunk, bytesRead, totalBytes } satisfies ColumnChunk;
      bytesReported = bytesRead;
      context.signal.throwIfAborted();
    }
  }
  tellTooFew(config, context, parser.heldRows());
};
