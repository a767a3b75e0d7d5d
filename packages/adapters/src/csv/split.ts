/**
 * Bytes of UTF-8 to the cells of CSV records (RFC 4180, and any of CRLF, LF and CR as line end). Blocks may be cut anywhere:
 * a cell that a block leaves unfinished waits in the buffer, and nothing else does.
 *
 *   start ──"──▶ quoted ──"──▶ closing        a delimiter or line end in start, bare and closing ends the cell;
 *     └─other──▶ bare    ◀──"─────┘           in quoted it is text. Anything else after a closing quote is a fault of
 *                                             the record, which is read on as if it were bare.
 *
 * A quote only opens at the start of a cell, so that `5" pipe` is text. Blank lines are no records; they count as lines.
 */
import { lineTooLong, nul, quoteTooLong, textAfterQuote, unterminatedQuote } from './faults.ts';

/** `cells` is the splitter's own and is refilled for the next record. `fault` says why the cells are not to be trusted. */
export type OnRecord = (cells: readonly string[], line: number, fault: string | undefined) => void;

export type Splitter = {
  readonly push: (block: Uint8Array) => void;
  readonly finish: () => void;
  /** The physical line being read, counted from 1. */
  readonly line: () => number;
};

const start = 0;
const bare = 1;
const quoted = 2;
const closing = 3;

const lf = 10;
const cr = 13;
const quote = 34;

const tableOf = (...bytes: number[]): Uint8Array => {
  const table = new Uint8Array(256);
  for (const byte of bytes) table[byte] = 1;
  return table;
};

export type SplitOptions = { readonly delimiter: string; readonly bytesPerRecord: number; readonly firstLine: number };

export const splitter = ({ delimiter, bytesPerRecord, firstLine }: SplitOptions, onRecord: OnRecord): Splitter => {
  const separator = delimiter.charCodeAt(0);
  const bareStops = tableOf(0, lf, cr, separator);
  const quotedStops = tableOf(0, lf, cr, quote);

  let buffer = Buffer.allocUnsafe(128 * 1024);
  let end = 0;
  let position = 0;
  let cellStart = 0;
  let recordStart = 0;
  let state = start;
  // Of the cell: all its bytes or-ed together, so that the top bit tells whether it goes beyond ASCII; and whether it has doubled quotes.
  let high = 0;
  let doubled = false;
  let fault: string | undefined;
  let line = firstLine;
  let recordLine = firstLine;
  let quoteLine = firstLine;
  // A CR ends a line at once; the LF that may follow, perhaps in another block, belongs to it.
  let afterCr = false;
  const cells: string[] = [];
  let latin1: string | undefined;

  const cellText = (from: number, to: number): string => {
    if (from === to) return '';
    if (high >= 0x80) return buffer.toString('utf8', from, to);
    // V8 copies substrings of up to 12 characters and lets longer ones share, and keep, the whole block; those are cut from the buffer.
    if (to - from > 12) return buffer.toString('latin1', from, to);
    latin1 ??= buffer.toString('latin1', 0, end);
    return latin1.substring(from, to);
  };

  const endCell = (): void => {
    const isQuoted = state === closing;
    const text = isQuoted ? cellText(cellStart + 1, position - 1) : cellText(cellStart, position);
    cells.push(isQuoted && doubled ? text.replaceAll('""', '"') : text);
    cellStart = position + 1;
    state = start;
    high = 0;
    doubled = false;
  };

  const endRecord = (): void => {
    if (state !== start || cells.length > 0) {
      endCell();
      onRecord(cells, recordLine, fault);
      cells.length = 0;
      fault = undefined;
    }
    cellStart = position + 1;
    recordStart = position + 1;
  };

  /** Moves to the next byte that means something; nearly all of the time of a read is spent here, so it works on locals. */
  const pass = (stops: Uint8Array, limit: number): void => {
    const bytes = buffer;
    let at = position;
    let bits = high;
    while (at < limit) {
      const byte = bytes[at] ?? 0;
      if (stops[byte] === 1) break;
      bits |= byte;
      at++;
    }
    if (at > position) afterCr = false;
    position = at;
    high = bits;
  };

  const scan = (): void => {
    // A record that reaches its bound stops the scan exactly there, however the input was cut.
    let limit = Math.min(end, recordStart + bytesPerRecord + 1);
    while (position < limit) {
      if (state === bare) pass(bareStops, limit);
      else if (state === quoted) pass(quotedStops, limit);
      if (position === limit) return;
      const byte = buffer[position] ?? 0;
      if (byte === 0) throw nul(line);
      if (state === quoted) {
        if (byte === quote) state = closing;
        else if (byte === cr || !afterCr) line++;
      } else if (byte === separator) {
        endCell();
      } else if (byte === lf || byte === cr) {
        const isRestOfCrLf = byte === lf && afterCr;
        endRecord();
        if (!isRestOfCrLf) line++;
        recordLine = line;
        limit = Math.min(end, recordStart + bytesPerRecord + 1);
      } else if (byte === quote && state === start) {
        state = quoted;
        quoteLine = line;
      } else if (byte === quote && state === closing) {
        state = quoted;
        doubled = true;
      } else {
        if (state === closing) fault = textAfterQuote(cells.length + 1);
        state = bare;
        high |= byte;
      }
      afterCr = byte === cr;
      position++;
    }
  };

  const checkBound = (): void => {
    if (position - recordStart <= bytesPerRecord) return;
    throw state === quoted ? quoteTooLong(quoteLine, bytesPerRecord) : lineTooLong(recordLine, bytesPerRecord);
  };

  const push = (block: Uint8Array): void => {
    if (end + block.length > buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(buffer.length * 2, end + block.length));
      buffer.copy(larger, 0, 0, end);
      buffer = larger;
    }
    buffer.set(block, end);
    end += block.length;
    scan();
    checkBound();
    latin1 = undefined;
    // What is done with makes room: everything before the cell that the block left unfinished.
    if (cellStart === 0) return;
    buffer.copyWithin(0, cellStart, end);
    end -= cellStart;
    position -= cellStart;
    recordStart -= cellStart;
    cellStart = 0;
  };

  const finish = (): void => {
    if (state === quoted) throw unterminatedQuote(quoteLine);
    endRecord();
  };

  return { push, finish, line: () => line };
};
