/** Currencies, from cells to a heap, and packed for what depends on them. */
import type { FieldPlan } from '../fields/plan.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { noCurrency, packed, packedText } from './currency.ts';
import { addText, reserveBytes, reserveRows, type TextHeap } from './text-heap.ts';

/** Of three bytes: no lower than `A` are those that reach the top bit with the one number, and no higher than `Z` those that do not with the other. */
const areUpperCase = (three: number): boolean => ((three + 0x3f3f3f) & ~(three + 0x252525) & 0x808080) === 0x808080;

export const fillCurrencies = (heap: TextHeap, rows: Rows, plan: FieldPlan, column: number): void => {
  const { table, from, to, currencies } = rows;
  const { bounds, view } = table;
  const step = 2 * table.width;
  const offsets = reserveRows(heap, to - from);
  // For all of them at once, and for the fourth byte, which is the next one's.
  let into = reserveBytes(heap, offsets[heap.rows] as number, 3 * (to - from));
  for (let row = from, at = from * step + 2 * column; row < to; row++, at += step) {
    const start = bounds[at] as number;
    // Without the bit in which a letter's cases differ they are upper case, and nothing else becomes a letter.
    const three = view.getInt32(start, true) & 0xdfdfdf;
    const used = offsets[heap.rows] as number;
    if ((bounds[at + 1] as number) - start === 3 && areUpperCase(three)) {
      into.setInt32(used, three, true);
      heap.rows++;
      offsets[heap.rows] = used + 3;
      currencies[row] = packed(three & 255, (three >> 8) & 255, three >> 16);
    } else {
      addCurrency(heap, rows, plan, row, plan.read(textOf(table, row, column), ''));
      into = reserveBytes(heap, offsets[heap.rows] as number, 3 * (to - row));
    }
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
