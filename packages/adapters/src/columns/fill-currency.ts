/** Currencies, from cells to numbers: three letters straight from their bytes, whatever else through the reader of texts. */
import { isListed } from '@settler/contracts/currencies';
import { currencyCode, noCurrency } from '@settler/contracts/currency-codes';
import type { FieldPlan } from '../fields/plan.ts';
import { numbersAt } from '../kernel/kernel.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { addNumbers, type Numbers, numbers } from './numbers.ts';
import { eachRow, placeOf } from './plain.ts';

export type Currencies = Numbers<Int32Array>;

export const currencies = (): Currencies => numbers((length) => new Int32Array(length));

export const fillCurrencies = (target: Currencies, rows: Rows, plan: FieldPlan, column: number): void => {
  const { table, from, to } = rows;
  const { kernel } = table;
  const first = addNumbers(target, to - from) - from;
  const read = (row: number): void => {
    target.values[first + row] = codeOf(rows, plan, row, plan.read(textOf(table, row, column), ''));
  };
  const plainly = (row: number, count: number): number => {
    const done = kernel.run.currencies(...placeOf(table, row, column), count, kernel.values);
    target.values.set(numbersAt(kernel, Int32Array, kernel.values, done), first + row);
    // Three letters may be no currency all the same. Most are the ones of the row before.
    let known = noCurrency;
    for (let last = row + done, one = row; one < last; one++) {
      const code = target.values[first + one] as number;
      if (code === known) continue;
      if (isListed(code)) known = code;
      else read(one);
    }
    return done;
  };
  eachRow(rows, plainly, read);
  rows.currencies.set(target.values.subarray(first + from, first + to), from);
};

export const fillFixedCurrency = (target: Currencies, rows: Rows, plan: FieldPlan): void => {
  const { from, to, states } = rows;
  const first = addNumbers(target, to - from) - from;
  const value = plan.read('', '');
  for (let row = from; row < to; row++) {
    target.values[first + row] = codeOf(rows, plan, row, states[row] === broken ? undefined : value);
  }
  rows.currencies.set(target.values.subarray(first + from, first + to), from);
};

const codeOf = (rows: Rows, { field }: FieldPlan, row: number, value: ReturnType<FieldPlan['read']>): number => {
  if (typeof value === 'object') rows.refuse(row, field, value.reason);
  return typeof value === 'string' ? currencyCode(value) : noCurrency;
};
