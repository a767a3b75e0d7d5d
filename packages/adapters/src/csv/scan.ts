/**
 * Bytes of UTF-8 to tables of where each cell begins and ends: what `split.ts` says of CSV, without a string. A record that a block
 * leaves unfinished stays in the buffer whole, so that all cells of a table lie in the same bytes. Only stops are looked at: what
 * lies between two of them means nothing, but that it is there.
 */
import type { CellTable } from '../columns/cells.ts';
import { brokenRow, widthFault } from '../fields/layout.ts';
import { cursorWords } from '../kernel/cells.ts';
import { createKernel, numbersAt } from '../kernel/kernel.ts';
import { stepBytes, stopsTogether } from '../kernel/stops.ts';
import { lineTooLong, nul, quoteTooLong, textAfterQuote, unterminatedQuote } from './faults.ts';
import type { SplitOptions, Splitter } from './split.ts';

const lf = 10;
const cr = 13;
const quote = 34;

// As in `split.ts`, but that start and bare are one: the cell has begun where the position is past its start.
const plain = 0;
const quoted = 1;
const closing = 2;

/** Where a scan is: at the beginning of a cell, in the tables of bounds and lines, and in the input. */
type Cursor = { cellStart: number; recordStart: number; next: number; rowFirst: number; rows: number; line: number; recordLine: number };

/** Some of the memory. */
type Part = { readonly at: number; readonly bytes: number };

/** So much is looked at together; in between, a record is checked for its length. */
export const windowBytes = 32 * 1024;

export type OnTable = {
  /** Of the first record. What it throws ends the read. */
  readonly header: (cells: readonly string[], line: number) => void;
  /** The records that a block completed, which last until the next block; where `isMore`, the same and what the end completed. */
  readonly rows: (table: CellTable, isMore: boolean) => void;
};

export const cellScanner = ({ delimiter, bytesPerRecord, firstLine }: SplitOptions, onTable: OnTable): Splitter => {
  const separator = delimiter.charCodeAt(0);
  const kernel = createKernel();
  const { run } = kernel;
  const stopsAt = kernel.reserve(4 * (windowBytes + stepBytes + stopsTogether));
  const cursorAt = kernel.reserve(4 * cursorWords);
  const partOf = (bytes: number): Part => ({ at: kernel.reserve(bytes), bytes });
  const parts = { input: partOf(256 * 1024), bounds: partOf(128 * 1024), lines: partOf(8 * 1024) };
  /** What the memory is now, which changes with every part that grows. */
  const lookAt = () => ({
    bytes: kernel.bytes,
    stops: numbersAt(kernel, Int32Array, stopsAt, windowBytes + stepBytes),
    cursor: numbersAt(kernel, Int32Array, cursorAt, cursorWords),
    bounds: numbersAt(kernel, Int32Array, parts.bounds.at, parts.bounds.bytes / 4),
    lines: numbersAt(kernel, Uint32Array, parts.lines.at, parts.lines.bytes / 4),
  });
  let memory = lookAt();

  const grow = (name: keyof typeof parts, needed: number, from: number, to: number): void => {
    const part = partOf(Math.max(needed, parts[name].bytes * 2));
    kernel.bytes.copyWithin(part.at, from, to);
    parts[name] = part;
    memory = lookAt();
  };

  // There is always a byte before the first, to be asked whether it is a CR.
  memory.bytes[parts.input.at] = 0;
  const begin = parts.input.at + 1;
  let end = begin;
  const cursor: Cursor = { cellStart: begin, recordStart: begin, next: 0, rowFirst: 0, rows: 0, line: firstLine, recordLine: firstLine };
  let state = plain;
  /** Where the quote is that made the state `closing`. */
  let closedAt = 0;
  let doubled = false;
  let fault: string | undefined;
  let quoteLine = firstLine;

  // 0 until there is a header.
  let width = 0;
  let broken: { row: number; reason: string }[] = [];

  const reserveBounds = (length: number): Int32Array => {
    const { at } = parts.bounds;
    if (length > memory.bounds.length) grow('bounds', 4 * length, at, at + 4 * cursor.next);
    return memory.bounds;
  };

  /** Takes one quote of each two away, in place. */
  const undoubled = (from: number, to: number): number => {
    const { bytes } = memory;
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

  const cellOfRow = (cell: number): string => {
    const { bytes, bounds } = memory;
    const at = cursor.rowFirst + 2 * cell;
    return bytes.toString('utf8', bounds[at], bounds[at + 1]);
  };

  const endRow = (): void => {
    const cells = cellsOfRow();
    if (width === 0) {
      width = cells;
      const header = Array.from({ length: cells }, (_, cell) => cellOfRow(cell));
      cursor.next = 0;
      fault = undefined;
      onTable.header(header, cursor.recordLine);
      return;
    }
    if (fault !== undefined || cells !== width) {
      broken.push({ row: cursor.rows, reason: brokenRow(fault ?? widthFault(cells, width), cells, cellOfRow) });
      fault = undefined;
      cursor.next = cursor.rowFirst + 2 * width;
      reserveBounds(cursor.next).fill(cursor.recordStart, cursor.rowFirst, cursor.next);
    }
    const { at, bytes } = parts.lines;
    if (cursor.rows === memory.lines.length) grow('lines', 2 * bytes, at, at + bytes);
    memory.lines[cursor.rows++] = cursor.recordLine;
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
    throw state === quoted ? quoteTooLong(quoteLine, bytesPerRecord) : lineTooLong(cursor.recordLine, bytesPerRecord);
  };

  /** A stop, in whatever state. */
  const meet = (position: number): void => {
    checkBound(position);
    const { bytes } = memory;
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

  /** Takes the cells between stops, up to what is for `meet`, and answers which stop that is. */
  const passPlain = (stop: number, count: number): number => {
    const { bounds, lines } = parts;
    const state = memory.cursor;
    // One by one, because there is a call for every doubled quote, and an array would have to be made for each.
    state[0] = cursor.cellStart;
    state[1] = cursor.recordStart;
    state[2] = bounds.at + 4 * cursor.next;
    state[3] = bounds.at + 4 * cursor.rowFirst;
    state[4] = lines.at + 4 * cursor.rows;
    state[5] = cursor.line;
    state[6] = cursor.recordLine;
    const [stopAt, stopsEnd, boundsEnd, linesEnd] = [
      stopsAt + 4 * stop,
      stopsAt + 4 * count,
      bounds.at + bounds.bytes,
      lines.at + lines.bytes,
    ];
    const left = run.cells(stopAt, stopsEnd, boundsEnd, linesEnd, cursorAt, separator, 8 * width, bytesPerRecord);
    cursor.cellStart = state[0] as number;
    cursor.recordStart = state[1] as number;
    cursor.next = ((state[2] as number) - bounds.at) / 4;
    cursor.rowFirst = ((state[3] as number) - bounds.at) / 4;
    cursor.rows = ((state[4] as number) - lines.at) / 4;
    cursor.line = state[5] as number;
    cursor.recordLine = state[6] as number;
    return (left - stopsAt) / 4;
  };

  const scan = (from: number): void => {
    for (let at = from; at < end; at += windowBytes) {
      const to = Math.min(end, at + windowBytes);
      let count = (run.stops(at, to, separator, stopsAt) - stopsAt) / 4;
      // Behind the end lies what was there before.
      while (count > 0 && (memory.stops[count - 1] as number) >= to) count--;
      let index = 0;
      while (index < count) {
        if (state === plain && fault === undefined) index = passPlain(index, count);
        if (index < count) meet(memory.stops[index++] as number);
      }
      checkBound(to);
    }
  };

  /** Drops what is before the unfinished record, and makes room for more bytes. */
  const makeRoom = (more: number): void => {
    const from = cursor.recordStart - 1;
    const needed = end - from + more + stepBytes;
    if (from === parts.input.at && needed <= parts.input.bytes) return;
    if (needed > parts.input.bytes) grow('input', needed, from, end);
    else memory.bytes.copyWithin(parts.input.at, from, end);
    const gone = from - parts.input.at;
    for (let at = 0; at < cursor.next; at++) memory.bounds[at] = (memory.bounds[at] as number) - gone;
    end -= gone;
    closedAt -= gone;
    cursor.cellStart -= gone;
    cursor.recordStart -= gone;
  };

  /** Drops the rows of the last table; the cells of the unfinished one stay. */
  const dropRows = (): void => {
    broken = [];
    memory.bounds.copyWithin(0, cursor.rowFirst, cursor.next);
    cursor.next -= cursor.rowFirst;
    cursor.rowFirst = 0;
    cursor.rows = 0;
  };

  const table = (): CellTable => {
    const { bytes, bounds, lines } = memory;
    return { kernel, bytes, bounds, boundsAt: parts.bounds.at, lines, width, rows: cursor.rows, broken };
  };

  return {
    push: (block) => {
      dropRows();
      makeRoom(block.length);
      const from = end;
      memory.bytes.set(block, end);
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
