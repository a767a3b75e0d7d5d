/** Tables of cells in, chunks of columns out: field after field, each in one pass over the rows. */
import { noCurrency } from '@settler/contracts/currency-codes';
import type { ColumnChunk, InvalidRow, TextCells } from '../columns.ts';
import type { Layout } from '../fields/layout.ts';
import { broken, type CellTable, type Rows, readable, refused } from './cells.ts';
import { type Column, columnOf, rawColumn } from './column.ts';
import { addNumbers, dropNumbers, numbers, numbersOf } from './numbers.ts';

export type BuiltChunk = Omit<ColumnChunk, 'bytesRead' | 'totalBytes'>;

export type ChunkBuilder = {
  /** Rows for `next`, in place of the last ones; where `isMore`, these are the last ones too, and perhaps more. */
  readonly offer: (table: CellTable, isMore: boolean) => void;
  /** The next full chunk; where `flush`, what there is. It lasts until it is asked again. */
  readonly next: (flush: boolean) => BuiltChunk | undefined;
  /** Rows that it has not given out. */
  readonly heldRows: () => number;
};

/** What is known of the rows of a table while they are read, in memory that the next table uses too. */
type Scratch = Pick<Rows, 'states' | 'currencies' | 'decimals'>;
const scratchOf = (rows: number): Scratch => ({
  states: new Uint8Array(rows),
  currencies: new Int32Array(rows),
  decimals: new Uint8Array(rows),
});

/** The last `heldRows` are not given out, however many come: they may turn out to be no records. */
export const chunkBuilder = (layout: Layout, rowsPerChunk: number, heldRows: number): ChunkBuilder => {
  const columns: readonly Column[] = [...layout.placed.map(columnOf), ...layout.raw.map(({ name, index }) => rawColumn(name, index))];
  // As `fields/plan.ts` settles a record: of several faults that of its amount is told.
  const isAmount = (_column: Column, at: number): boolean => layout.placed[at]?.plan.field === 'amount';
  const settling = [...columns.filter(isAmount), ...columns.filter((column, at) => !isAmount(column, at))];
  const lines = numbers((length) => new Uint32Array(length));
  let invalid: InvalidRow[] = [];
  let offered: CellTable | undefined;
  let from = 0;
  let given = 0;

  let scratch = scratchOf(0);

  const scratchFor = (rows: number): Scratch => {
    if (rows > scratch.states.length) scratch = scratchOf(2 * rows);
    scratch.states.fill(readable);
    scratch.currencies.fill(noCurrency);
    return scratch;
  };

  const fill = (table: CellTable, to: number): void => {
    const first = addNumbers(lines, to - from);
    lines.values.set(table.lines.subarray(from, to), first);
    const found: InvalidRow[] = [];
    const { states, currencies, decimals } = scratchFor(table.rows);
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
    const rows: Rows = { table, from, to, states, currencies, decimals, refuse };
    for (const column of columns) column.fill(rows);
    for (const column of settling) column.settle?.(rows, layout.currencyMapped);
    // Faults were found field by field.
    for (const row of found.sort((one, other) => one.row - other.row)) invalid.push(row);
    from = to;
  };

  const drop = (rows: number): void => {
    dropNumbers(lines, rows);
    for (const column of columns) column.drop(rows);
    invalid = invalid.filter(({ row }) => row >= rows).map((found) => ({ ...found, row: found.row - rows }));
  };

  const give = (rows: number): BuiltChunk => {
    const texts = new Map<string, TextCells>();
    const chunk = { rows, lines: numbersOf(lines, rows), texts, invalid: invalid.filter(({ row }) => row < rows) };
    for (const column of columns) {
      const { text, ...numeric } = column.part(rows);
      if (text !== undefined) texts.set(...text);
      Object.assign(chunk, numeric);
    }
    given = rows;
    return chunk;
  };

  return {
    heldRows: () => lines.rows - given,
    offer: (table, isMore) => {
      offered = table;
      if (!isMore) from = 0;
    },
    next: (flush) => {
      if (given > 0) drop(given);
      given = 0;
      const full = rowsPerChunk + heldRows;
      if (offered !== undefined && from < offered.rows) fill(offered, Math.min(offered.rows, from + full - lines.rows));
      if (lines.rows === full) return give(rowsPerChunk);
      return flush && lines.rows > heldRows ? give(lines.rows - heldRows) : undefined;
    },
  };
};
