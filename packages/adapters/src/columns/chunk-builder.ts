/** Tables of cells in, chunks of columns out: field after field, each in one pass over the rows. */
import type { ColumnChunk, InvalidRow, TextCells } from '../columns.ts';
import type { Layout } from '../fields/layout.ts';
import { broken, type CellTable, type Rows, readable, refused } from './cells.ts';
import { type Column, columnOf, rawColumn } from './column.ts';
import { noCurrency } from './currency.ts';
import { addNumbers, numbers, takeNumbers } from './numbers.ts';

export type BuiltChunk = Omit<ColumnChunk, 'bytesRead' | 'totalBytes'>;

export type ChunkBuilder = {
  readonly add: (table: CellTable) => void;
  /** Makes a chunk of what there is; the last `heldRows` stay. */
  readonly flush: () => void;
  /** Chunks that are ready; the caller empties it. */
  readonly chunks: BuiltChunk[];
};

/** The last `heldRows` are not given out, however many come: they may turn out to be no records. */
export const chunkBuilder = (layout: Layout, rowsPerChunk: number, heldRows: number): ChunkBuilder => {
  const columns: readonly Column[] = [...layout.placed.map(columnOf), ...layout.raw.map(({ name, index }) => rawColumn(name, index))];
  const lines = numbers((length) => new Uint32Array(length));
  const chunks: BuiltChunk[] = [];
  let invalid: InvalidRow[] = [];

  const fill = (table: CellTable, from: number, to: number): void => {
    const first = addNumbers(lines, to - from);
    lines.values.set(table.lines.subarray(from, to), first);
    const found: InvalidRow[] = [];
    const states = new Uint8Array(table.rows);
    for (const { row, reason } of table.broken) {
      if (row < from || row >= to) continue;
      states[row] = broken;
      found.push({ row: first + row - from, reason });
    }
    const refuse = (row: number, field: string, reason: string): void => {
      if (states[row] !== readable) return;
      states[row] = refused;
      found.push({ row: first + row - from, field, reason: `${field} ${reason}` });
    };
    const rows: Rows = { table, from, to, states, currencies: new Uint16Array(table.rows).fill(noCurrency), refuse };
    for (const column of columns) column.fill(rows);
    for (const column of columns) column.settle?.(rows, layout.currencyMapped);
    // Faults were found field by field.
    for (const row of found.sort((one, other) => one.row - other.row)) invalid.push(row);
  };

  const emit = (rows: number): void => {
    const texts = new Map<string, TextCells>();
    const chunk = { rows, lines: takeNumbers(lines, rows), texts, invalid: invalid.filter(({ row }) => row < rows) };
    for (const column of columns) {
      const { text, ...rest } = column.take(rows);
      if (text !== undefined) texts.set(...text);
      Object.assign(chunk, rest);
    }
    invalid = invalid.filter(({ row }) => row >= rows).map((found) => ({ ...found, row: found.row - rows }));
    chunks.push(chunk);
  };

  return {
    chunks,
    add: (table) => {
      for (let from = 0; from < table.rows; ) {
        const to = Math.min(table.rows, from + rowsPerChunk + heldRows - lines.rows);
        fill(table, from, to);
        from = to;
        if (lines.rows === rowsPerChunk + heldRows) emit(rowsPerChunk);
      }
    },
    flush: () => {
      if (lines.rows > heldRows) emit(lines.rows - heldRows);
    },
  };
};
