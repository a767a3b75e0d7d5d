/** Texts and identities, from cells to a heap: copied as bytes, and looked at as strings only where bytes do not tell what to do. */
import type { FieldPlan } from '../fields/plan.ts';
import { numbersAt, textBytesPerCall } from '../kernel/kernel.ts';
import { isNotPlainLast, mayBeSpace, traits } from '../kernel/texts.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { eachRow, placeOf } from './plain.ts';
import { addBytes, addText, addTexts, reserveRows, type TextHeap } from './text-heap.ts';

/** Which cells are copied as they are: what their first and last bytes are not, and how long they may be. */
type PlainTexts = { readonly first: number; readonly last: number; readonly lengthMin: number; readonly lengthMax: number };

const anyText: PlainTexts = { first: 0, last: 0, lengthMin: 0, lengthMax: textBytesPerCall };
const notBlank: PlainTexts = { ...anyText, first: mayBeSpace };
/** Not too long in bytes, so not in characters, and nothing to trim as far as bytes tell. */
const plainId: PlainTexts = { first: mayBeSpace, last: isNotPlainLast, lengthMin: 1, lengthMax: 512 };

/** Copies the cells of so many rows up to the first that is not plain, and answers how many there were. */
const copyPlain = (heap: TextHeap, { table }: Rows, column: number, row: number, count: number, plain: PlainTexts): number => {
  const { kernel } = table;
  const { texts, values } = kernel;
  const used = heap.offsets[heap.rows] as number;
  const done = kernel.run.texts(
    ...placeOf(table, row, column),
    ...[count, values, texts, texts + textBytesPerCall, used - texts],
    ...[kernel.traits, plain.first, plain.last, plain.lengthMin, plain.lengthMax],
  );
  addTexts(heap, kernel.bytes, texts, numbersAt(kernel, Uint32Array, values, done));
  return done;
};

/** Whether white space may begin with the byte. */
const mayBegin = (byte: number): boolean => ((traits[byte] as number) & mayBeSpace) !== 0;

/** Every cell as it is; where `blankIsEmpty`, nothing for white space. */
export const fillText = (heap: TextHeap, rows: Rows, column: number, blankIsEmpty: boolean): void => {
  const { table, from, to } = rows;
  const { bytes, bounds, width } = table;
  const plain = blankIsEmpty ? notBlank : anyText;
  reserveRows(heap, to - from);
  eachRow(
    rows,
    (row, count) => copyPlain(heap, rows, column, row, count, plain),
    (row) => {
      const at = 2 * (row * width + column);
      const start = bounds[at] as number;
      const isBlank = blankIsEmpty && mayBegin(bytes[start] as number) && textOf(table, row, column).trim() === '';
      addBytes(heap, bytes, start, isBlank ? start : (bounds[at + 1] as number));
    },
  );
};

/** What the plan reads from each cell; mostly that is the cell itself. */
export const fillIds = (heap: TextHeap, rows: Rows, plan: FieldPlan, column: number): void => {
  reserveRows(heap, rows.to - rows.from);
  eachRow(
    rows,
    (row, count) => copyPlain(heap, rows, column, row, count, plainId),
    (row) => addRead(heap, rows, plan, row, textOf(rows.table, row, column), ''),
  );
};

/** Whether a cell that is not empty can be copied as it is. */
export type IsPlain = (bytes: Uint8Array, start: number, end: number) => boolean;

/** Of a cell that is not copied. */
type OnRead = (row: number, value: string) => void;

/** What the plan reads from each cell; where `isPlain`, that is the cell itself. */
export const fillRead = (heap: TextHeap, rows: Rows, plan: FieldPlan, column: number, isPlain: IsPlain, onRead?: OnRead): void => {
  const { table, from, to } = rows;
  const { bounds, bytes, width } = table;
  const isCopied = (row: number): boolean => {
    const at = 2 * (row * width + column);
    const [start, end] = [bounds[at] as number, bounds[at + 1] as number];
    return start === end ? plan.onEmpty === undefined : isPlain(bytes, start, end);
  };
  reserveRows(heap, to - from);
  eachRow(
    rows,
    (row, count) => {
      let plain = 0;
      while (plain < count && isCopied(row + plain)) plain++;
      return copyPlain(heap, rows, column, row, plain, anyText);
    },
    (row) => addRead(heap, rows, plan, row, textOf(table, row, column), '', onRead),
  );
};

const addRead = (heap: TextHeap, { refuse }: Rows, plan: FieldPlan, row: number, cell: string, second: string, onRead?: OnRead): void => {
  const value = plan.read(cell, second);
  addText(heap, typeof value === 'string' ? value : '');
  if (typeof value === 'object') refuse(row, plan.field, value.reason);
  if (typeof value === 'string') onRead?.(row, value);
};

/** What the plan reads from two columns. */
export const fillReadOfTwo = (heap: TextHeap, rows: Rows, plan: FieldPlan, first: number, second: number, onRead?: OnRead): void => {
  const { table, from, to } = rows;
  reserveRows(heap, to - from);
  for (let row = from; row < to; row++) addRead(heap, rows, plan, row, textOf(table, row, first), textOf(table, row, second), onRead);
};

/** The same text in every row of which anything could be read. */
export const fillFixed = (heap: TextHeap, { from, to, states, refuse }: Rows, plan: FieldPlan): void => {
  reserveRows(heap, to - from);
  const value = plan.read('', '');
  const text = Buffer.from(typeof value === 'string' ? value : '');
  for (let row = from; row < to; row++) {
    addBytes(heap, text, 0, states[row] === broken ? 0 : text.length);
    if (typeof value === 'object') refuse(row, plan.field, value.reason);
  }
};
