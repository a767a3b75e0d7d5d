/** Dates, from cells to days: ISO days and plain instants straight from their bytes, whatever else through the reader of texts. */
import { noDay } from '../columns.ts';
import { dayNumber } from '../fields/day.ts';
import type { FieldPlan } from '../fields/plan.ts';
import { broken, type Rows, textOf } from './cells.ts';
import { addNumbers, type Numbers, numbers } from './numbers.ts';

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

/** Days as they were written, in three words, and what was read of them. */
const known = new Int32Array(4 * 1024);

/** As `readDay`, in a third of the time: files have few days. Those of two years that follow each other have places of their own. */
const plainDay = (bytes: Uint8Array, view: DataView, start: number): number => {
  const year = view.getInt32(start, true);
  const month = view.getInt32(start + 4, true);
  const day = view.getInt16(start + 8, true);
  const place = ((month >> 8) & 1) * 320 + ((month >> 16) & 15) * 32 + (day & 3) * 10 + ((day >> 8) & 15);
  const at = 4 * (place | ((year >> 15) & 512));
  if (known[at] !== year || known[at + 1] !== month || known[at + 2] !== day) {
    known[at] = year;
    known[at + 1] = month;
    known[at + 2] = day;
    known[at + 3] = readDay(bytes, start);
  }
  return known[at + 3] as number;
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

const isoDayOf = (bytes: Uint8Array, view: DataView, start: number, end: number, form: DateForm): number => {
  if (!form.iso || end - start < 10) return noDay;
  if (end - start > 10 && !isPlainTime(bytes, start + 10, end, form)) return noDay;
  return plainDay(bytes, view, start);
};

const readText = (rows: Rows, plan: FieldPlan, row: number, cell: string): number => {
  const value = plan.read(cell, '');
  if (typeof value === 'string') return readDay(Buffer.from(value), 0);
  if (value !== undefined) rows.refuse(row, plan.field, value.reason);
  return noDay;
};

export const fillDays = (target: Days, rows: Rows, plan: FieldPlan, column: number, form: DateForm): void => {
  const { table, from, to } = rows;
  let into = addNumbers(target, to - from);
  const { values } = target;
  const { bytes, view, bounds } = table;
  const step = 2 * table.width;
  for (let row = from, at = from * step + 2 * column; row < to; row++, at += step, into++) {
    const day = isoDayOf(bytes, view, bounds[at] as number, bounds[at + 1] as number, form);
    values[into] = day === noDay ? readText(rows, plan, row, textOf(table, row, column)) : day;
  }
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
