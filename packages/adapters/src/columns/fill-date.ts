/** Dates, from cells to days: ISO days and plain instants straight from their bytes, whatever else through the reader of texts. */
import { noDay } from '../columns.ts';
import { dayNumber } from '../fields/day.ts';
import type { FieldPlan } from '../fields/plan.ts';
import { dayLength, knownDayAt } from '../kernel/days.ts';
import { type Kernel, numbersAt } from '../kernel/kernel.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { addNumbers, type Numbers, numbers } from './numbers.ts';
import { eachRow, placeOf } from './plain.ts';

export type Days = Numbers<Int32Array>;

export const days = (): Days => numbers((length) => new Int32Array(length));

export interface DateForm {
  /** No format of the mapping's own. */
  readonly iso: boolean;
  /** A time zone decides on the day of an instant. */
  readonly zoned: boolean;
}

/** The number that two digits are; negative where they are none. */
const two = (bytes: Uint8Array, at: number): number => {
  const tens = (bytes[at] as number) - 48;
  const ones = (bytes[at + 1] as number) - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -10_000;
};

/** The day of `2026-04-01`; `noDay` for what is not just that or does not exist. */
const readDay = (bytes: Uint8Array, start: number): number => {
  if (bytes[start + 4] !== 45 || bytes[start + 7] !== 45) return noDay;
  const year = two(bytes, start) * 100 + two(bytes, start + 2);
  // Also what is no digit makes a year, month or day that does not exist.
  return dayNumber(year, two(bytes, start + 5), two(bytes, start + 8)) ?? noDay;
};

/** As `readDay`, of a cell that the kernel will know from then on. */
const learnDay = ({ run, bytes, knownDays }: Kernel, start: number): number => {
  const day = readDay(bytes, start);
  if (day === noDay) return noDay;
  const place = run.dayPlace(knownDays, start);
  bytes.copyWithin(place, start, start + dayLength);
  bytes.writeInt32LE(day, place + knownDayAt);
  return day;
};

/**
 * Whether `T09:30:00` follows, with a fraction and a `Z` or without, so that the written day counts: without an offset in any zone,
 * with it in UTC.
 */
const isPlainTime = (bytes: Uint8Array, start: number, end: number, { zoned }: DateForm): boolean => {
  const separator = bytes[start];
  if (end - start < 9 || (separator !== 84 && separator !== 32) || bytes[start + 3] !== 58 || bytes[start + 6] !== 58) return false;
  const hour = two(bytes, start + 1);
  const minute = two(bytes, start + 4);
  const second = two(bytes, start + 7);
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return false;
  let at = start + 9;
  if (bytes[at] === 46 && at < end) {
    const fraction = ++at;
    while (at < end && (bytes[at] as number) >= 48 && (bytes[at] as number) <= 57) at++;
    if (at === fraction || at - fraction > 9) return false;
  }
  return at === end || (!zoned && at + 1 === end && bytes[at] === 90);
};

const isoDayOf = (kernel: Kernel, start: number, end: number, form: DateForm): number => {
  if (!form.iso || end - start < dayLength) return noDay;
  if (end - start > dayLength && !isPlainTime(kernel.bytes, start + dayLength, end, form)) return noDay;
  return learnDay(kernel, start);
};

const readText = (rows: Rows, plan: FieldPlan, row: number, cell: string): number => {
  const value = plan.read(cell, '');
  if (typeof value === 'string') return readDay(Buffer.from(value), 0);
  if (value !== undefined) rows.refuse(row, plan.field, value.reason);
  return noDay;
};

export const fillDays = (target: Days, rows: Rows, plan: FieldPlan, column: number, form: DateForm): void => {
  const { table, from, to } = rows;
  const { kernel, bounds, width } = table;
  const first = addNumbers(target, to - from) - from;
  const { values } = target;
  const plainly = (row: number, count: number): number => {
    if (!form.iso) return 0;
    const done = kernel.run.days(...placeOf(table, row, column), count, kernel.values, kernel.knownDays);
    values.set(numbersAt(kernel, Int32Array, kernel.values, done), first + row);
    return done;
  };
  eachRow(rows, plainly, (row) => {
    const at = 2 * (row * width + column);
    const day = isoDayOf(kernel, bounds[at] as number, bounds[at + 1] as number, form);
    values[first + row] = day === noDay ? readText(rows, plan, row, textOf(table, row, column)) : day;
  });
};

export const fillFixedDay = (target: Days, rows: Rows, plan: FieldPlan): void => {
  let into = addNumbers(target, rows.to - rows.from);
  for (let row = rows.from; row < rows.to; row++, into++) {
    target.values[into] = rows.states[row] === broken ? noDay : readText(rows, plan, row, '');
  }
};

/** Whether a cell is a day of the wire already: for dates that stay texts. */
export const isCanonicalDay = (bytes: Uint8Array, start: number, end: number): boolean =>
  end - start === 10 && readDay(bytes, start) !== noDay;
