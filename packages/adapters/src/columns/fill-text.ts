/** Texts and identities, from cells to a heap: copied as bytes, and looked at as strings only where bytes do not tell what to do. */
import type { FieldPlan } from '../fields/plan.ts';
import { broken, type CellTable, type Rows, textOf } from './cells.ts';
import { addText, copyWords, reserveBytes, reserveRows, type TextHeap, viewOf, wordBytes } from './text-heap.ts';

/** Every cell as it is; where `blankIsEmpty`, nothing for white space. */
export const fillText = (heap: TextHeap, { table, from, to }: Rows, column: number, blankIsEmpty: boolean): void => {
  const { bounds, bytes, view } = table;
  const step = 2 * table.width;
  const offsets = reserveRows(heap, to - from);
  let into = heap.view;
  let room = heap.bytes.length - wordBytes;
  let used = offsets[heap.rows] as number;
  let added = heap.rows;
  for (let row = from, at = from * step + 2 * column; row < to; row++, at += step) {
    const start = bounds[at] as number;
    let end = bounds[at + 1] as number;
    if (blankIsEmpty && start !== end && mayBeSpace(bytes[start] as number) && isBlank(table, row, column)) end = start;
    if (used + end - start > room) {
      into = reserveBytes(heap, used, end - start);
      room = heap.bytes.length - wordBytes;
    }
    copyWords(view, start, end, into, used);
    used += end - start;
    offsets[++added] = used;
  }
  heap.rows = added;
};

const isBlank = (table: CellTable, row: number, column: number): boolean => textOf(table, row, column).trim() === '';

// ASCII's own, and the bytes that any other white space begins with in UTF-8.
const spaces = Uint8Array.from({ length: 256 }, (_, byte) => (byte <= 32 || [0xc2, 0xe1, 0xe2, 0xe3, 0xef].includes(byte) ? 1 : 0));
const mayBeSpace = (byte: number): boolean => spaces[byte] === 1;

/** Whether a cell that is not empty can be copied as it is. */
export type IsPlain = (bytes: Uint8Array, start: number, end: number) => boolean;

/** What the plan reads from each cell; where `isPlain`, that is the cell itself. */
export const fillRead = (heap: TextHeap, rows: Rows, plan: FieldPlan, column: number, isPlain: IsPlain): void => {
  const { table, from, to } = rows;
  const { bounds, bytes, view } = table;
  const step = 2 * table.width;
  const offsets = reserveRows(heap, to - from);
  let into = heap.view;
  let room = heap.bytes.length - wordBytes;
  let used = offsets[heap.rows] as number;
  for (let row = from, at = from * step + 2 * column; row < to; row++, at += step) {
    const start = bounds[at] as number;
    const end = bounds[at + 1] as number;
    if (start === end ? plan.onEmpty === undefined : isPlain(bytes, start, end)) {
      if (used + end - start > room) {
        into = reserveBytes(heap, used, end - start);
        room = heap.bytes.length - wordBytes;
      }
      copyWords(view, start, end, into, used);
      used += end - start;
      offsets[++heap.rows] = used;
    } else {
      addRead(heap, rows, plan, row, textOf(table, row, column), '');
      into = heap.view;
      room = heap.bytes.length - wordBytes;
      used = offsets[heap.rows] as number;
    }
  }
};

const addRead = (heap: TextHeap, { refuse }: Rows, plan: FieldPlan, row: number, cell: string, second: string): void => {
  const value = plan.read(cell, second);
  addText(heap, typeof value === 'string' ? value : '');
  if (typeof value === 'object') refuse(row, plan.field, value.reason);
};

/** What the plan reads from two columns. */
export const fillReadOfTwo = (heap: TextHeap, rows: Rows, plan: FieldPlan, first: number, second: number): void => {
  const { table, from, to } = rows;
  reserveRows(heap, to - from);
  for (let row = from; row < to; row++) addRead(heap, rows, plan, row, textOf(table, row, first), textOf(table, row, second));
};

/** The same text in every row of which anything could be read. */
export const fillFixed = (heap: TextHeap, { from, to, states, refuse }: Rows, plan: FieldPlan): void => {
  const offsets = reserveRows(heap, to - from);
  const value = plan.read('', '');
  const text = Buffer.from(typeof value === 'string' ? value : '');
  const view = viewOf(Buffer.concat([text, Buffer.alloc(wordBytes)]));
  for (let row = from; row < to; row++) {
    const used = offsets[heap.rows] as number;
    const length = states[row] === broken ? 0 : text.length;
    copyWords(view, 0, length, reserveBytes(heap, used, length), used);
    offsets[++heap.rows] = used + length;
    if (typeof value === 'object') refuse(row, plan.field, value.reason);
  }
};

/** Not too long in bytes, so not in characters, and nothing to trim as far as bytes tell. */
export const isPlainId: IsPlain = (bytes, start, end) => {
  const last = bytes[end - 1] as number;
  return end - start <= 512 && !mayBeSpace(bytes[start] as number) && last > 32 && last < 0x80;
};
