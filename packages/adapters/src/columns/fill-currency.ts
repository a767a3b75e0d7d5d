/** Currencies, from cells to a heap, and packed for what depends on them. */
import type { FieldPlan } from '../fields/plan.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { noCurrency, packed, packedText } from './currency.ts';
import { addText, reserveBytes, reserveRows, type TextHeap } from './text-heap.ts';

const isLetter = (upper: number): boolean => upper >= 65 && upper <= 90;

export const fillCurrencies = (heap: TextHeap, rows: Rows, plan: FieldPlan, column: number): void => {
  const { table, from, to } = rows;
  const { bounds, bytes } = table;
  const step = 2 * table.width;
  const offsets = reserveRows(heap, to - from);
  for (let row = from, at = from * step + 2 * column; row < to; row++, at += step) {
    const start = bounds[at] as number;
    // Without the bit in which a letter's cases differ they are upper case, and nothing else becomes a letter.
    const one = (bytes[start] as number) & 0xdf;
    const two = (bytes[start + 1] as number) & 0xdf;
    const three = (bytes[start + 2] as number) & 0xdf;
    if ((bounds[at + 1] as number) - start !== 3 || !isLetter(one) || !isLetter(two) || !isLetter(three)) {
      addCurrency(heap, rows, plan, row, plan.read(textOf(table, row, column), ''));
      continue;
    }
    const used = offsets[heap.rows] as number;
    // The fourth byte is the next one's.
    reserveBytes(heap, used, 3).setInt32(used, one | (two << 8) | (three << 16), true);
    offsets[++heap.rows] = used + 3;
    rows.currencies[row] = packed(one, two, three);
  }
};

export const fillFixedCurrency = (heap: TextHeap, rows: Rows, plan: FieldPlan): void => {
  reserveRows(heap, rows.to - rows.from);
  const value = plan.read('', '');
  for (let row = rows.from; row < rows.to; row++) addCurrency(heap, rows, plan, row, rows.states[row] === broken ? undefined : value);
};

const addCurrency = (heap: TextHeap, rows: Rows, { field }: FieldPlan, row: number, value: ReturnType<FieldPlan['read']>): void => {
  addText(heap, typeof value === 'string' ? value : '');
  rows.currencies[row] = typeof value === 'string' ? packedText(value) : noCurrency;
  if (typeof value === 'object') rows.refuse(row, field, value.reason);
};
