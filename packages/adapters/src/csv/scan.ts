/**
 * Bytes of UTF-8 to tables of where each cell begins and ends: what `split.ts` says of CSV, without a string. A record that a block
 * leaves unfinished stays in the buffer whole, so that all cells of a table lie in the same bytes.
 *
 * Nearly all bytes mean nothing, so four are looked at together. In a 32-bit word `(w - n) & ~w` has the top bit of the first byte
 * below n, for n of one byte repeated; what it shows above that byte may be the borrow of a subtraction, and is not asked. Below 35
 * are all bytes that mean something but the delimiter, and few others; bytes that equal the delimiter are zero, and below 1, once it
 * is taken off by exclusive or. A byte at a time, the same takes twice as long.
 */
import type { CellTable } from '../columns/cells.ts';
import { viewOf, wordBytes } from '../columns/text-heap.ts';
import { widthFault } from '../fields/layout.ts';
import { lineTooLong, nul, textAfterQuote, unterminatedQuote } from './faults.ts';
import type { SplitOptions, Splitter } from './split.ts';

const lf = 10;
const cr = 13;
const quote = 34;

// As in `split.ts`, but that start and bare are one: the cell has begun where the position is past its start.
const plain = 0;
const quoted = 1;
const closing = 2;

const fourOf = (byte: number): number => Math.imul(byte, 0x01010101);
const quotes = 0x22222222;
const belowInPlain = 0x23232323;
const belowInQuotes = 0x0e0e0e0e;

/** The top bit of the first byte that equals `same` or lies below `below`, and perhaps of later ones. */
const stopsIn = (word: number, same: number, below: number): number => {
  const other = word ^ same;
  // Literals, since a loop over a hundred million bytes notices loads of constants.
  return (((word - below) & ~word) | ((other - 0x01010101) & ~other)) & 0x80808080;
};

const firstOf = (stops: number): number => (31 - Math.clz32(stops & -stops)) >> 3;

/** Where a scan is: in the bytes, at the beginning of the cell there, and in the table of bounds. */
type Cursor = { position: number; cellStart: number; next: number };

/** Where the quote is that closes a cell in quotes and is followed by a delimiter; -1 where it is not as simple as that. */
const closingQuote = (bytes: Buffer, view: DataView, start: number, limit: number, separator: number): number => {
  for (let at = start; at < limit; at += 4) {
    const stops = stopsIn(view.getInt32(at, true), quotes, belowInQuotes);
    if (stops === 0) continue;
    at += firstOf(stops);
    return at + 1 < limit && bytes[at] === quote && bytes[at + 1] === separator ? at : -1;
  }
  return -1;
};

/**
 * Passes cells without quotes, and simple ones with them, up to what is for `meet`. Nearly all of the time of a scan is spent here,
 * and what it works on are arguments and locals: as a closure over the scanner's state it took twice as long.
 */
const passPlain = (bytes: Buffer, view: DataView, bounds: Int32Array, cursor: Cursor, limit: number, separator: number): void => {
  const separators = fourOf(separator);
  let { position: at, cellStart, next } = cursor;
  while (at < limit) {
    const stops = stopsIn(view.getInt32(at, true), separators, belowInPlain);
    if (stops === 0) {
      at += 4;
      continue;
    }
    at += firstOf(stops);
    if (at >= limit) break;
    const byte = bytes[at] as number;
    if (byte === separator) {
      // A table that is full is for `meet` to enlarge.
      if (next === bounds.length) break;
      bounds[next] = cellStart;
      bounds[next + 1] = at;
      next += 2;
      cellStart = at + 1;
    } else if (byte === lf || byte === cr || byte === 0) break;
    else if (byte === quote && at === cellStart) {
      const end = closingQuote(bytes, view, at + 1, limit, separator);
      if (end === -1 || next === bounds.length) break;
      bounds[next] = at + 1;
      bounds[next + 1] = end;
      next += 2;
      at = end + 1;
      cellStart = at + 1;
    }
    at++;
  }
  cursor.position = Math.min(at, limit);
  cursor.cellStart = cellStart;
  cursor.next = next;
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
  const cursor: Cursor = { position: 1, cellStart: 1, next: 0 };
  let recordStart = 1;
  let state = plain;
  let doubled = false;
  let fault: string | undefined;
  let line = firstLine;
  let recordLine = firstLine;
  let quoteLine = firstLine;

  // 0 until there is a header.
  let width = 0;
  let bounds = new Int32Array(16 * 1024);
  let rowFirst = 0;
  let lines = new Uint32Array(1024);
  let rows = 0;
  let broken: { row: number; reason: string }[] = [];

  const reserveBounds = (length: number): Int32Array<ArrayBuffer> => {
    if (length <= bounds.length) return bounds;
    const grown = new Int32Array(Math.max(length, bounds.length * 2));
    grown.set(bounds.subarray(0, cursor.next));
    bounds = grown;
    return bounds;
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

  const endCell = (): void => {
    const isQuoted = state === closing;
    const from = isQuoted ? cursor.cellStart + 1 : cursor.cellStart;
    const to = isQuoted ? cursor.position - 1 : cursor.position;
    reserveBounds(cursor.next + 2);
    bounds[cursor.next] = from;
    bounds[cursor.next + 1] = isQuoted && doubled ? undoubled(from, to) : to;
    cursor.next += 2;
    cursor.cellStart = cursor.position + 1;
    state = plain;
    doubled = false;
  };

  const endRow = (): void => {
    const cells = (cursor.next - rowFirst) / 2;
    if (width === 0) {
      width = cells;
      const header = Array.from({ length: cells }, (_, cell) => bytes.toString('utf8', bounds[2 * cell], bounds[2 * cell + 1]));
      cursor.next = 0;
      fault = undefined;
      onTable.header(header, recordLine);
      return;
    }
    if (fault !== undefined || cells !== width) {
      broken.push({ row: rows, reason: fault ?? widthFault(cells, width) });
      fault = undefined;
      cursor.next = rowFirst;
      reserveBounds(rowFirst + 2 * width).fill(0, rowFirst, rowFirst + 2 * width);
      cursor.next = rowFirst + 2 * width;
    }
    if (rows === lines.length) {
      const grown = new Uint32Array(rows * 2);
      grown.set(lines);
      lines = grown;
    }
    lines[rows++] = recordLine;
    rowFirst = cursor.next;
  };

  const endRecord = (): void => {
    if (state === closing || cursor.position > cursor.cellStart || cursor.next > rowFirst) {
      endCell();
      endRow();
    }
    cursor.cellStart = cursor.position + 1;
    recordStart = cursor.position + 1;
  };

  const isRestOfCrLf = (byte: number): boolean => byte === lf && bytes[cursor.position - 1] === cr;

  /** A byte that means something. */
  const meet = (byte: number): void => {
    if (byte === 0) throw nul(line);
    if (state === quoted) {
      if (byte === quote) state = closing;
      else if ((byte === lf || byte === cr) && !isRestOfCrLf(byte)) line++;
    } else if (byte === lf || byte === cr) {
      endRecord();
      if (!isRestOfCrLf(byte)) line++;
      recordLine = line;
    } else if (state === closing) {
      if (byte === separator) endCell();
      else if (byte === quote) {
        state = quoted;
        doubled = true;
      } else {
        fault = textAfterQuote((cursor.next - rowFirst) / 2 + 1);
        state = plain;
      }
    } else if (byte === separator) {
      endCell();
    } else if (byte === quote && cursor.position === cursor.cellStart) {
      state = quoted;
      quoteLine = line;
    }
    cursor.position++;
  };

  const passQuoted = (limit: number): void => {
    let at = cursor.position;
    while (at < limit) {
      const stops = stopsIn(view.getInt32(at, true), quotes, belowInQuotes);
      at += stops === 0 ? 4 : firstOf(stops);
      if (stops !== 0) break;
    }
    cursor.position = Math.min(at, limit);
  };

  const scan = (): void => {
    // A record that reaches its bound stops the scan exactly there, however the input was cut.
    let limit = Math.min(end, recordStart + bytesPerRecord + 1);
    while (cursor.position < limit) {
      if (state === plain) passPlain(bytes, view, bounds, cursor, limit, separator);
      else if (state === quoted) passQuoted(limit);
      if (cursor.position === limit) break;
      meet(bytes[cursor.position] as number);
      limit = Math.min(end, recordStart + bytesPerRecord + 1);
    }
    if (cursor.position - recordStart <= bytesPerRecord) return;
    throw state === quoted ? unterminatedQuote(quoteLine) : lineTooLong(recordLine, bytesPerRecord);
  };

  /** Drops what is before the unfinished record, and makes room for more bytes. */
  const makeRoom = (more: number): void => {
    const gone = recordStart - 1;
    const needed = end - gone + more + wordBytes;
    if (gone === 0 && needed <= bytes.length) return;
    if (needed > bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, bytes.length * 2));
      bytes.copy(larger, 0, gone, end);
      bytes = larger;
      view = viewOf(bytes);
    } else bytes.copyWithin(0, gone, end);
    for (let at = 0; at < cursor.next; at++) bounds[at] = (bounds[at] as number) - gone;
    end -= gone;
    cursor.position -= gone;
    cursor.cellStart -= gone;
    recordStart = 1;
  };

  /** Drops the rows of the last table; the cells of the unfinished one stay. */
  const dropRows = (): void => {
    rows = 0;
    broken = [];
    bounds.copyWithin(0, rowFirst, cursor.next);
    cursor.next -= rowFirst;
    rowFirst = 0;
  };

  const table = (): CellTable => ({ bytes, view, bounds, width, rows, lines, broken });

  return {
    push: (block) => {
      dropRows();
      makeRoom(block.length);
      bytes.set(block, end);
      end += block.length;
      scan();
      onTable.rows(table(), false);
    },
    finish: () => {
      if (state === quoted) throw unterminatedQuote(quoteLine);
      endRecord();
      onTable.rows(table(), true);
    },
    line: () => line,
  };
};
