/**
 * Blocks of UTF-8 in, rows out: skip the prose above, find the delimiter, split, map. Synchronous and without a source, so that
 * the reader streams a gigabyte through it and the schema checks inline content with it.
 */
import type { FieldMappings } from '../fields/mapping.ts';
import { planFields } from '../fields/plan.ts';
import { ReaderFailure, type ReadLimits, type ReadRow } from '../reader.ts';
import { rowReader } from './columns.ts';
import { delimiterDetection } from './delimiter.ts';
import { lineSkipper } from './skip.ts';
import { type Splitter, splitter } from './split.ts';

export type CsvParser = {
  readonly push: (block: Uint8Array) => void;
  /** Throws `empty_file` where there was not even a header. */
  readonly finish: () => void;
  /** Rows that are ready; the caller empties it. */
  readonly rows: ReadRow[];
  readonly line: () => number;
};

/** How the table lies in the input. Without `delimiter` it is found. */
export type CsvTable = {
  readonly delimiter?: string | undefined;
  readonly skipRows?: number | undefined;
  readonly trailerRows?: number | undefined;
  readonly fields: FieldMappings;
};

export const csvParser = (config: CsvTable, limits: ReadLimits): CsvParser => {
  const { skipRows = 0, trailerRows = 0, fields } = config;
  const skip = lineSkipper(skipRows, limits.bytesPerRecord);
  const expected = planFields(fields).flatMap(({ columns }) => columns.map((column) => column.trim()));
  const rows: ReadRow[] = [];
  // The last rows of the file are not records, and which they are shows only at its end: so many always wait.
  const waiting: ReadRow[] = [];
  let toRow: ReturnType<typeof rowReader> | undefined;

  const splitBy = (delimiter: string): Splitter =>
    splitter({ delimiter, bytesPerRecord: limits.bytesPerRecord, firstLine: skipRows + 1 }, (cells, line, malformed) => {
      if (toRow === undefined) {
        toRow = rowReader(fields, cells, line, limits);
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
    });

  let split = config.delimiter === undefined ? undefined : splitBy(config.delimiter);
  const detection = delimiterDetection(expected, skipRows + 1, limits);
  const seen: Uint8Array[] = [];

  const decide = (): Splitter => {
    const decided = splitBy(detection.best());
    split = decided;
    for (const block of seen.splice(0)) decided.push(block);
    return decided;
  };

  return {
    rows,
    line: () => split?.line() ?? skipRows + 1,
    push: (block) => {
      const rest = skip(block);
      if (split !== undefined) return split.push(rest);
      seen.push(rest);
      if (detection.push(rest)) decide();
    },
    finish: () => {
      if (split === undefined) detection.finish();
      (split ?? decide()).finish();
      if (toRow === undefined) throw new ReaderFailure('empty_file', 'the input is empty: there is not even a header', skipRows + 1);
    },
  };
};
