/** Amounts, from cells to digits and how many of them are decimals: plain decimals straight from their bytes, whatever else through the reader of texts. */
import type { UnfitAmount } from '../columns.ts';
import { decimalOf } from '../fields/amount.ts';
import type { FieldPlan } from '../fields/plan.ts';
import { numbersAt } from '../kernel/kernel.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { addNumbers, type Numbers, numbers } from './numbers.ts';
import { eachRow, placeOf } from './plain.ts';

/** Digits while a table is read, and minor units once it is settled. */
export interface Amounts {
  readonly units: Numbers<Float64Array>;
  unfit: UnfitAmount[];
}

export const amounts = (): Amounts => ({ units: numbers((length) => new Float64Array(length)), unfit: [] });

const minus = 45;
/** Fifteen digits are exact in a double; more are for the reader of texts to count. */
const digitsMax = 15;
const decimalsMax = 6;

/** Writes the digits of a cell such as `-12.34`, and answers how many of them are decimals; -1, with nothing of meaning written, where it is not as plain as that. */
const readPlainAmount = (bytes: Uint8Array, start: number, end: number, point: number, digits: Float64Array, into: number): number => {
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  let value = 0;
  let fraction = end;
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 48 && byte <= 57) value = value * 10 + byte - 48;
    else if (byte === point && fraction === end && at + 1 < end) fraction = at + 1;
    else return -1;
  }
  const decimals = end - fraction;
  const count = end - first - (decimals === 0 ? 0 : 1);
  digits[into] = isNegative ? 0 - value : value;
  return count > 0 && count <= digitsMax && decimals <= decimalsMax ? decimals : -1;
};

/** What the plan makes of the cells as texts. */
const readText = (rows: Rows, plan: FieldPlan, row: number, cell: string, second: string, digits: Float64Array, into: number): void => {
  const value = plan.read(cell, second);
  if (typeof value === 'object') rows.refuse(row, plan.field, value.reason);
  const decimal = typeof value === 'string' ? decimalOf(value) : { digits: Number.NaN, scale: 0 };
  digits[into] = decimal.digits;
  rows.decimals[row] = decimal.scale;
};

export const fillAmounts = (target: Amounts, rows: Rows, plan: FieldPlan, column: number, point: number, negate: boolean): void => {
  const { table, from, to, decimals } = rows;
  const { kernel, bytes, bounds, width } = table;
  const first = addNumbers(target.units, to - from) - from;
  const digits = target.units.values;
  const plainly = (row: number, count: number): number => {
    const done = kernel.run.amounts(...placeOf(table, row, column), count, kernel.values, point, Number(negate));
    digits.set(numbersAt(kernel, Float64Array, kernel.values, done), first + row);
    decimals.fill(2, row, row + done);
    return done;
  };
  eachRow(rows, plainly, (row) => {
    const at = 2 * (row * width + column);
    const found = readPlainAmount(bytes, bounds[at] as number, bounds[at + 1] as number, point, digits, first + row);
    if (found === -1) readText(rows, plan, row, textOf(table, row, column), '', digits, first + row);
    else {
      decimals[row] = found;
      if (negate) digits[first + row] = 0 - (digits[first + row] as number);
    }
  });
};

/** Debit in one column, credit in another. Plain is one of them filled with an amount that has no sign, and the other empty. */
export const fillDebitCredit = (target: Amounts, rows: Rows, plan: FieldPlan, columns: readonly number[], point: number): void => {
  const { table, from, to, decimals } = rows;
  let into = addNumbers(target.units, to - from);
  const digits = target.units.values;
  const { bytes, bounds, width } = table;
  const [debit = 0, credit = 0] = columns;
  for (let row = from; row < to; row++, into++) {
    const isDebit = isFilled(bounds, row * width + debit);
    const at = 2 * (row * width + (isDebit ? debit : credit));
    const start = bounds[at] as number;
    const isPlain = isDebit !== isFilled(bounds, row * width + credit) && bytes[start] !== minus;
    const found = isPlain ? readPlainAmount(bytes, start, bounds[at + 1] as number, point, digits, into) : -1;
    if (found === -1) readText(rows, plan, row, textOf(table, row, debit), textOf(table, row, credit), digits, into);
    else {
      decimals[row] = found;
      if (isDebit) digits[into] = 0 - (digits[into] as number);
    }
  }
};

const isFilled = (bounds: Int32Array, cell: number): boolean => bounds[2 * cell] !== bounds[2 * cell + 1];

export const fillFixedAmount = (target: Amounts, rows: Rows, plan: FieldPlan): void => {
  let into = addNumbers(target.units, rows.to - rows.from);
  const digits = target.units.values;
  for (let row = rows.from; row < rows.to; row++, into++) {
    if (rows.states[row] === broken) digits[into] = Number.NaN;
    else readText(rows, plan, row, '', '', digits, into);
  }
};

const point = 46;
const zero = 48;

/**
 * Whether a cell is the canonical decimal already: for amounts that stay texts. As contracts has it: no zeros in front, no
 * negative zero, at most 18 digits and 6 decimals; what begins with a zero and a sign is not worth telling apart here.
 */
export const isCanonicalAmount = (bytes: Uint8Array, start: number, end: number): boolean => {
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  let fraction = end;
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 48 && byte <= 57) continue;
    if (byte !== point || fraction !== end || at === first || at + 1 === end) return false;
    fraction = at + 1;
  }
  const whole = (fraction === end ? end : fraction - 1) - first;
  if (bytes[first] === zero && (isNegative || whole > 1)) return false;
  return whole > 0 && whole <= 18 && end - fraction <= decimalsMax;
};
