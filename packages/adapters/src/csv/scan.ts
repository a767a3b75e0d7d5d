/**
 * Bytes of UTF-8 to tables of where each cell begins and ends: what `split.ts` says of CSV, without a string. A record that a block
 * leaves unfinished stays in the buffer whole, so that all cells of a table lie in the same bytes. Only stops are looked at: what
 * lies between two of them means nothing, but that it is there.
 */
import type { CellTable } from '../columns/cells.ts';
import { viewOf, wordBytes } from '../columns/text-heap.ts';
import { widthFault } from '../fields/layout.ts';
import { lineTooLong, nul, textAfterQuote, unterminatedQuote } from './faults.ts';
import type { SplitOptions, Splitter } from './split.ts';
import { findStops, type Stops, windowBytes } from './stops.ts';

const lf = 10;
const cr = 13;
const quote = 34;

// As in `split.ts`, but that start and bare are one: the cell has begun where the position is past its start.
const plain = 0;
const quoted = 1;
const closing = 2;

/** Where a scan is: at the beginning of a cell, in the tables of bounds and lines, and in the input. */
type Cursor = { cellStart: number; recordStart: number; next: number; rowFirst: number; rows: number; line: number; recordLine: number };

/**
 * Takes the cells between stops, from the stop `index` on and up to what is for `meet`, and answers which stop that is. Nearly all of
 * the time of a scan is spent here, and what it works on are arguments and locals: as a closure over the scanner's state it took
 * twice as long.
 */
const passPlain = (
  bytes: Buffer,
  stops: Stops,
  index: number,
  { bounds, lines }: { readonly bounds: Int32Array; readonly lines: Uint32Array },
  cursor: Cursor,
  width: number,
  separator: number,
  bytesPerRecord: number,
): number => {
  const { positions, count } = stops;
  let { cellStart, recordStart, next, rowFirst, rows, line, recordLine } = cursor;
  const boundsMax = bounds.length;
  while (index < count && next < boundsMax) {
    let at = positions[index] as number;
    let byte = bytes[at] as number;
    // A loop of its own for most of them: in the larger one, with all that it holds, each takes twice as long.
    while (byte === separator) {
      bounds[next] = cellStart;
      bounds[next + 1] = at;
      next += 2;
      cellStart = at + 1;
      if (++index === count || next === boundsMax) break;
      at = positions[index] as number;
      byte = bytes[at] as number;
    }
    if (byte === separator) break;
    let after = index + 1;
    let start = cellStart;
    let end = at;
    if (byte === quote) {
      if (at !== cellStart) {
        index++;
        continue;
      }
      // Up to the next quote nothing may stand but delimiters, and right behind it a delimiter or a line end.
      while (after < count && bytes[positions[after] as number] === separator) after++;
      if (after + 1 >= count) break;
      end = positions[after] as number;
      at = positions[after + 1] as number;
      if (bytes[end] !== quote || at !== end + 1 || at - recordStart > bytesPerRecord) break;
      byte = bytes[at] as number;
      if (byte === quote) break;
      start = cellStart + 1;
      after += 2;
    }
    if (byte !== separator) {
      if (next !== rowFirst + 2 * width - 2 || byte === 0 || at - recordStart > bytesPerRecord || rows === lines.length) break;
      if (next === rowFirst && at === cellStart) break;
      if (byte === cr) {
        // The LF that may follow is part of this line end. Where it is not here yet, `meet` will see to it.
        if (after === count) break;
        if (positions[after] === at + 1 && bytes[at + 1] === lf) {
          after++;
          at++;
        }
      }
      rowFirst = next + 2;
      lines[rows++] = recordLine;
      recordLine = ++line;
      recordStart = at + 1;
    }
    bounds[next] = start;
    bounds[next + 1] = end;
    next += 2;
    cellStart = at + 1;
    index = after;
  }
  cursor.cellStart = cellStart;
  cursor.recordStart = recordStart;
  cursor.next = next;
  cursor.rowFirst = rowFirst;
  cursor.rows = rows;
  cursor.line = line;
  cursor.recordLine = recordLine;
  return index;
};

export type OnTable = {
  /** Of the first record. What it throws ends the read. */
  readonly header: (cells: readonly string[], line: number) => void;
  /** The records that a block completed, which last until the next block; where `isMore`, the same and what the end completed. */
  readonly rows: (table: CellTable, isMore: boolean) => void;
};

export const cellScanner = ({ delimiter, bytesPerRecord, firstLine }: SplitOptions, onTable: OnTable): Splitter => {
  const separator = delimiter.charCodeAt(0);
  // There is always a byte before the first, to be asked whether it is a CR.
  let bytes = Buffer.allocUnsafeSlow(256 * 1024);
  bytes[0] = 0;
  let view = viewOf(bytes);
  let end = 1;
  const cursor: Cursor = { cellStart: 1, recordStart: 1, next: 0, rowFirst: 0, rows: 0, line: firstLine, recordLine: firstLine };
  let state = plain;
  /** Where the quote is that made the state `closing`. */
  let closedAt = 0;
  let doubled = false;
  let fault: string | undefined;
  let quoteLine = firstLine;

  // 0 until there is a header.
  let width = 0;
  const found = { bounds: new Int32Array(16 * 1024), lines: new Uint32Array(1024) };
  let broken: { row: number; reason: string }[] = [];

  const reserveBounds = (length: number): Int32Array => {
    if (length > found.bounds.length) {
      const grown = new Int32Array(Math.max(length, found.bounds.length * 2));
      grown.set(found.bounds.subarray(0, cursor.next));
      found.bounds = grown;
    }
    return found.bounds;
  };

  /** Takes one quote of each two away, in place. */
  const undoubled = (from: number, to: number): number => {
    let into = from;
    for (let at = from; at < to; at++) {
      bytes[into++] = bytes[at] as number;
      if (bytes[at] === quote) at++;
    }
    return into;
  };

  const endCell = (position: number): void => {
    const isQuoted = state === closing;
    const from = isQuoted ? cursor.cellStart + 1 : cursor.cellStart;
    const to = isQuoted ? position - 1 : position;
    const bounds = reserveBounds(cursor.next + 2);
    bounds[cursor.next] = from;
    bounds[cursor.next + 1] = isQuoted && doubled ? undoubled(from, to) : to;
    cursor.next += 2;
    cursor.cellStart = position + 1;
    state = plain;
    doubled = false;
  };

  const cellsOfRow = (): number => (cursor.next - cursor.rowFirst) / 2;

  const endRow = (): void => {
    const cells = cellsOfRow();
    if (width === 0) {
      width = cells;
      const { bounds } = found;
      const header = Array.from({ length: cells }, (_, cell) => bytes.toString('utf8', bounds[2 * cell], bounds[2 * cell + 1]));
      cursor.next = 0;
      fault = undefined;
      onTable.header(header, cursor.recordLine);
      return;
    }
    if (fault !== undefined || cells !== width) {
      broken.push({ row: cursor.rows, reason: fault ?? widthFault(cells, width) });
      fault = undefined;
      cursor.next = cursor.rowFirst + 2 * width;
      reserveBounds(cursor.next).fill(0, cursor.rowFirst, cursor.next);
    }
    if (cursor.rows === found.lines.length) {
      const grown = new Uint32Array(cursor.rows * 2);
      grown.set(found.lines);
      found.lines = grown;
    }
    found.lines[cursor.rows++] = cursor.recordLine;
    cursor.rowFirst = cursor.next;
  };

  const endRecord = (position: number): void => {
    if (state === closing || position > cursor.cellStart || cursor.next > cursor.rowFirst) {
      endCell(position);
      endRow();
    }
    cursor.cellStart = position + 1;
    cursor.recordStart = position + 1;
  };

  /** What follows a closing quote and is no stop is met when the next stop is, or the end. */
  const passClosing = (position: number): void => {
    if (state !== closing || position === closedAt + 1) return;
    fault = textAfterQuote(cellsOfRow() + 1);
    state = plain;
  };

  const checkBound = (position: number): void => {
    if (position - cursor.recordStart <= bytesPerRecord) return;
    throw state === quoted ? unterminatedQuote(quoteLine) : lineTooLong(cursor.recordLine, bytesPerRecord);
  };

  /** A stop, in whatever state. */
  const meet = (position: number): void => {
    checkBound(position);
    const byte = bytes[position] as number;
    if (byte === 0) throw nul(cursor.line);
    const isLineEnd = byte === lf || byte === cr;
    const isRestOfCrLf = byte === lf && bytes[position - 1] === cr;
    passClosing(position);
    if (state === quoted) {
      if (byte === quote) {
        state = closing;
        closedAt = position;
      } else if (isLineEnd && !isRestOfCrLf) cursor.line++;
    } else if (isLineEnd) {
      endRecord(position);
      if (!isRestOfCrLf) cursor.line++;
      cursor.recordLine = cursor.line;
    } else if (byte === separator) {
      endCell(position);
    } else if (state === closing) {
      state = quoted;
      doubled = true;
    } else if (position === cursor.cellStart) {
      state = quoted;
      quoteLine = cursor.line;
    }
  };

  const scan = (from: number): void => {
    for (let at = from; at < end; at += windowBytes) {
      const to = Math.min(end, at + windowBytes);
      const stops = findStops(bytes, at, to, separator);
      let index = 0;
      while (index < stops.count) {
        if (state === plain && fault === undefined) index = passPlain(bytes, stops, index, found, cursor, width, separator, bytesPerRecord);
        if (index < stops.count) meet(stops.positions[index++] as number);
      }
      checkBound(to);
    }
  };

  /** Drops what is before the unfinished record, and makes room for more bytes. */
  const makeRoom = (more: number): void => {
    const gone = cursor.recordStart - 1;
    const needed = end - gone + more + wordBytes;
    if (gone === 0 && needed <= bytes.length) return;
    if (needed > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, bytes.length * 2));
      bytes.copy(larger, 0, gone, end);
      bytes = larger;
      view = viewOf(bytes);
    } else bytes.copyWithin(0, gone, end);
    for (let at = 0; at < cursor.next; at++) found.bounds[at] = (found.bounds[at] as number) - gone;
    end -= gone;
    closedAt -= gone;
    cursor.cellStart -= gone;
    cursor.recordStart = 1;
  };

  /** Drops the rows of the last table; the cells of the unfinished one stay. */
  const dropRows = (): void => {
    broken = [];
    found.bounds.copyWithin(0, cursor.rowFirst, cursor.next);
    cursor.next -= cursor.rowFirst;
    cursor.rowFirst = 0;
    cursor.rows = 0;
  };

  const table = (): CellTable => ({ bytes, view, ...found, width, rows: cursor.rows, broken });

  return {
    push: (block) => {
      dropRows();
      makeRoom(block.length);
      const from = end;
      bytes.set(block, end);
      end += block.length;
      scan(from);
      onTable.rows(table(), false);
    },
    finish: () => {
      if (state === quoted) throw unterminatedQuote(quoteLine);
      passClosing(end);
      endRecord(end);
      onTable.rows(table(), true);
    },
    line: () => cursor.line,
  };
};
