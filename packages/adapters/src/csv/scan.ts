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
const ones = fourOf(1);
const tops = fourOf(0x80);
const quotes = fourOf(quote);
const belowInPlain = fourOf(quote + 1);
const belowInQuotes = fourOf(cr + 1);

/** The top bit of the first byte that equals `same` or lies below `below`, and perhaps of later ones. */
const stopsIn = (word: number, same: number, below: number): number => {
  const other = word ^ same;
  return (((word - below) & ~word) | ((other - ones) & ~other)) & tops;
};

const firstOf = (stops: number): number => (31 - Math.clz32(stops & -stops)) >> 3;

export type OnTable = {
  /** Of the first record. What it throws ends the read. */
  readonly header: (cells: readonly string[], line: number) => void;
  /** All records that a block completed; the table is the scanner's own. */
  readonly rows: (table: CellTable) => void;
};

export const cellScanner = ({ delimiter, bytesPerRecord, firstLine }: SplitOptions, onTable: OnTable): Splitter => {
  const separator = delimiter.charCodeAt(0);
  const separators = fourOf(separator);

  // There is always a byte before the first, to be asked whether it is a CR.
  let bytes = Buffer.allocUnsafeSlow(256 * 1024);
  bytes[0] = 0;
  let view = viewOf(bytes);
  let end = 1;
  let position = 1;
  let cellStart = 1;
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
  let next = 0;
  let rowFirst = 0;
  let lines = new Uint32Array(1024);
  let rows = 0;
  let broken: { row: number; reason: string }[] = [];

  const reserveBounds = (length: number): Int32Array<ArrayBuffer> => {
    if (length <= bounds.length) return bounds;
    const grown = new Int32Array(Math.max(length, bounds.length * 2));
    grown.set(bounds.subarray(0, next));
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
    const from = isQuoted ? cellStart + 1 : cellStart;
    const to = isQuoted ? position - 1 : position;
    reserveBounds(next + 2);
    bounds[next] = from;
    bounds[next + 1] = isQuoted && doubled ? undoubled(from, to) : to;
    next += 2;
    cellStart = position + 1;
    state = plain;
    doubled = false;
  };

  const endRow = (): void => {
    const cells = (next - rowFirst) / 2;
    if (width === 0) {
      width = cells;
      const header = Array.from({ length: cells }, (_, cell) => bytes.toString('utf8', bounds[2 * cell], bounds[2 * cell + 1]));
      next = 0;
      fault = undefined;
      onTable.header(header, recordLine);
      return;
    }
    if (fault !== undefined || cells !== width) {
      broken.push({ row: rows, reason: fault ?? widthFault(cells, width) });
      fault = undefined;
      next = rowFirst;
      reserveBounds(rowFirst + 2 * width).fill(0, rowFirst, rowFirst + 2 * width);
      next = rowFirst + 2 * width;
    }
    if (rows === lines.length) {
      const grown = new Uint32Array(rows * 2);
      grown.set(lines);
      lines = grown;
    }
    lines[rows++] = recordLine;
    rowFirst = next;
  };

  const endRecord = (): void => {
    if (state === closing || position > cellStart || next > rowFirst) {
      endCell();
      endRow();
    }
    cellStart = position + 1;
    recordStart = position + 1;
  };

  const isRestOfCrLf = (byte: number): boolean => byte === lf && bytes[position - 1] === cr;

  /** A byte that means something, other than a delimiter after a cell without quotes. */
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
        fault = textAfterQuote((next - rowFirst) / 2 + 1);
        state = plain;
      }
    } else if (byte === quote && position === cellStart) {
      state = quoted;
      quoteLine = line;
    }
    position++;
  };

  /** Passes cells without quotes. Nearly all of the time of a scan is spent here, so it works on locals. */
  const passPlain = (limit: number): void => {
    const [words, from] = [view, bytes];
    let at = position;
    let cell = cellStart;
    let into = next;
    let table = bounds;
    while (at < limit) {
      const stops = stopsIn(words.getInt32(at, true), separators, belowInPlain);
      if (stops === 0) {
        at += 4;
        continue;
      }
      at += firstOf(stops);
      if (at >= limit) break;
      const byte = from[at] as number;
      if (byte === separator) {
        if (into === table.length) {
          next = into;
          table = reserveBounds(into + 2);
        }
        table[into] = cell;
        table[into + 1] = at;
        into += 2;
        cell = at + 1;
      } else if (byte === lf || byte === cr || byte === 0 || (byte === quote && at === cell)) break;
      at++;
    }
    position = Math.min(at, limit);
    cellStart = cell;
    next = into;
  };

  const passQuoted = (limit: number): void => {
    let at = position;
    while (at < limit) {
      const stops = stopsIn(view.getInt32(at, true), quotes, belowInQuotes);
      at += stops === 0 ? 4 : firstOf(stops);
      if (stops !== 0) break;
    }
    position = Math.min(at, limit);
  };

  const scan = (): void => {
    // A record that reaches its bound stops the scan exactly there, however the input was cut.
    let limit = Math.min(end, recordStart + bytesPerRecord + 1);
    while (position < limit) {
      if (state === plain) passPlain(limit);
      else if (state === quoted) passQuoted(limit);
      if (position === limit) break;
      meet(bytes[position] as number);
      limit = Math.min(end, recordStart + bytesPerRecord + 1);
    }
    if (position - recordStart <= bytesPerRecord) return;
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
    for (let at = 0; at < next; at++) bounds[at] = (bounds[at] as number) - gone;
    end -= gone;
    position -= gone;
    cellStart -= gone;
    recordStart = 1;
  };

  const handOver = (): void => {
    if (rows > 0) onTable.rows({ bytes, view, bounds, width, rows, lines, broken });
    rows = 0;
    broken = [];
    bounds.copyWithin(0, rowFirst, next);
    next -= rowFirst;
    rowFirst = 0;
  };

  return {
    push: (block) => {
      makeRoom(block.length);
      bytes.set(block, end);
      end += block.length;
      scan();
      handOver();
    },
    finish: () => {
      if (state === quoted) throw unterminatedQuote(quoteLine);
      endRecord();
      handOver();
    },
    line: () => line,
  };
};
