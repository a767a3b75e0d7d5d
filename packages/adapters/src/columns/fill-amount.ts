/** Amounts, from cells to digits and scale: plain decimals straight from their bytes, whatever else through the reader of texts. */
import { decimalOf } from '../fields/amount.ts';
import type { FieldPlan } from '../fields/plan.ts';
import { numbersAt } from '../kernel/kernel.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { addNumbers, type Numbers, numbers } from './numbers.ts';
import { eachRow, placeOf } from './plain.ts';

export interface Amounts {
  readonly digits: Numbers<Float64Array>;
  readonly scale: Numbers<Uint8Array>;
}

export const amounts = (): Amounts => ({
  digits: numbers((length) => new Float64Array(length)),
  scale: numbers((length) => new Uint8Array(length)),
});

const minus = 45;
/** Fifteen digits are exact in a double; more are for the reader of texts to count. */
const digitsMax = 15;
const decimalsMax = 6;

/** Writes what a cell such as `-12.34` says at `into`. False, with nothing of meaning written, where it is not as plain as that. */
export const readPlainAmount = (
  bytes: Uint8Array,
  start: number,
  end: number,
  point: number,
  digits: Float64Array,
  scale: Uint8Array,
  into: number,
): boolean => {
  const isNegative = bytes[start] === minus;
  const first = isNegative ? start + 1 : start;
  let value = 0;
  let fraction = end;
  for (let at = first; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 48 && byte <= 57) value = value * 10 + byte - 48;
    else if (byte === point && fraction === end && at + 1 < end) fraction = at + 1;
    else return false;
  }
  const decimals = end - fraction;
  const count = end - first - (decimals === 0 ? 0 : 1);
  digits[into] = isNegative ? 0 - value : value;
  scale[into] = decimals;
  return count > 0 && count <= digitsMax && decimals <= decimalsMax;
};

/** What the plan makes of the cells as texts. */
const readText = (rows: Rows, plan: FieldPlan, row: number, cell: string, second: string, target: Amounts, into: number): void => {
  const value = plan.read(cell, second);
  if (typeof value === 'object') rows.refuse(row, plan.field, value.reason);
  const decimal = typeof value === 'string' ? decimalOf(value) : { digits: Number.NaN, scale: 0 };
  target.digits.values[into] = decimal.digits;
  target.scale.values[into] = decimal.scale;
};

const begin = ({ digits, scale }: Amounts, { from, to }: Rows): number => {
  addNumbers(scale, to - from);
  return addNumbers(digits, to - from);
};

export const fillAmounts = (target: Amounts, rows: Rows, plan: FieldPlan, column: number, point: number, negate: boolean): void => {
  const { table, from } = rows;
  const { kernel, bytes, bounds, width } = table;
  const first = begin(target, rows) - from;
  const digits = target.digits.values;
  const scale = target.scale.values;
  const plainly = (row: number, count: number): number => {
    const done = kernel.run.amounts(...placeOf(table, row, column), count, kernel.values, point, Number(negate));
    digits.set(numbersAt(kernel, Float64Array, kernel.values, done), first + row);
    scale.fill(2, first + row, first + row + done);
    return done;
  };
  eachRow(rows, plainly, (row) => {
    const at = 2 * (row * width + column);
    const into = first + row;
    if (!readPlainAmount(bytes, bounds[at] as number, bounds[at + 1] as number, point, digits, scale, into)) {
      readText(rows, plan, row, textOf(table, row, column), '', target, into);
    } else if (negate) digits[into] = 0 - (digits[into] as number);
  });
};

/** Debit in one column, credit in another. Plain is one of them filled with an amount that has no sign, and the other empty. */
export const fillDebitCredit = (target: Amounts, rows: Rows, plan: FieldPlan, columns: readonly number[], point: number): void => {
  const { table, from, to } = rows;
  let into = begin(target, rows);
  const digits = target.digits.values;
  const scale = target.scale.values;
  const { bytes, bounds, width } = table;
  const [debit = 0, credit = 0] = columns;
  for (let row = from; row < to; row++, into++) {
    const isDebit = isFilled(bounds, row * width + debit);
    const at = 2 * (row * width + (isDebit ? debit : credit));
    const start = bounds[at] as number;
    const isPlain =
      isDebit !== isFilled(bounds, row * width + credit) &&
      bytes[start] !== minus &&
      readPlainAmount(bytes, start, bounds[at + 1] as number, point, digits, scale, into);
    if (!isPlain) readText(rows, plan, row, textOf(table, row, debit), textOf(table, row, credit), target, into);
    else if (isDebit) digits[into] = 0 - (digits[into] as number);
  }
};

const isFilled = (bounds: Int32Array, cell: number): boolean => bounds[2 * cell] !== bounds[2 * cell + 1];

export const fillFixedAmount = (target: Amounts, rows: Rows, plan: FieldPlan): void => {
  let into = begin(target, rows);
  for (let row = rows.from; row < rows.to; row++, into++) {
    if (rows.states[row] === broken) target.digits.values[into] = Number.NaN;
    else readText(rows, plan, row, '', '', target, into);
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
