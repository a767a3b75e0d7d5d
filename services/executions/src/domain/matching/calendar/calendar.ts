/**
 * Business-day calendars: weekends, and the holidays of a payment system or of a list.
 *
 * Days are numbers, 0 is 1970-01-01. The distance of two days is the business days in (earlier, later]: from Friday to Monday it is 1,
 * to the weekend between them 0, and from that weekend to Monday 1. So a day on which nobody works is as far away as the business day
 * before it.
 */
import type { CalendarName } from '@settler/contracts/rules';
import { dayOf } from '../day.ts';
import { dayNumber, type HolidayRule, targetHolidays, ukBankHolidays, usFederalHolidays } from './holidays.ts';

export interface Calendar {
  readonly isBusinessDay: (day: number) => boolean;
  /** Business days in (earlier, later]; negative where `earlier` is the later one. */
  readonly businessDaysBetween: (earlier: number, later: number) => number;
  /**
   * The first and the last day whose distance from `day` is at most `before` on the one side and `after` on the other. Both ends may be
   * days without business: what a Friday reaches with `after: 0` ends on Sunday, and a Sunday itself reaches back to Friday and no
   * further with `before: 0`, for between them nobody worked. A Monday with `before: 0` begins with itself.
   */
  readonly rangeOf: (day: number, before: number, after: number) => { readonly first: number; readonly last: number };
}

export const calendarOf = (name: CalendarName): Calendar => {
  if (name === 'weekends') return createCalendar(weekdaysThrough);
  if (name === 'TARGET') return createCalendar(countOf(holidaysOf(targetHolidays)));
  if (name === 'US-federal') return createCalendar(countOf(holidaysOf(usFederalHolidays)));
  if (name === 'UK-banking') return createCalendar(countOf(holidaysOf(ukBankHolidays)));
  // Rules are checked before they get here; a day that cannot be read is no record's day either.
  const listed = name.holidays.flatMap((text) => dayOf(text) ?? []);
  return createCalendar(countOf(() => listed));
};

/** Business days from some distant past up to and including a day: all that a calendar knows, the rest are differences. */
type Count = (day: number) => number;

const createCalendar = (through: Count): Calendar => ({
  isBusinessDay: (day) => through(day) > through(day - 1),
  businessDaysBetween: (earlier, later) => through(later) - through(earlier),
  rangeOf: (day, before, after) => ({
    first: firstDayWith(through, day, through(day) - before),
    last: firstDayWith(through, day, through(day) + after + 1) - 1,
  }),
});

/** The first day through which there are that many business days, looked for in steps that double from a day nearby. */
const firstDayWith = (through: Count, near: number, wanted: number): number => {
  let low = near;
  let high = near;
  for (let step = 1; through(low) >= wanted; step *= 2) low -= step;
  for (let step = 1; through(high) < wanted; step *= 2) high += step;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (through(middle) < wanted) low = middle;
    else high = middle;
  }
  return high;
};

/** Monday to Friday, negative before 1969-12-29, a Monday. */
const weekdaysThrough: Count = (day) => {
  const weeks = Math.floor((day + 3) / 7);
  return 5 * weeks + Math.min(day + 4 - 7 * weeks, 5);
};

const tableFirst = dayNumber(1970, 1, 1);
const tableLastYear = 2100;
const tableLast = dayNumber(tableLastYear, 12, 31);
const lastYear = 9999;

/**
 * Weekdays less holidays. Nearly every record is dated between 1970 and 2100, so there the count is one look into a table of 191 KB,
 * made when first asked for; for any other day the holidays before it are found by bisection.
 */
const countOf = (holidaysUntil: (year: number) => readonly number[]): Count => {
  let table: Int32Array | undefined;
  let all: Int32Array | undefined;
  return (day) => {
    if (day >= tableFirst && day <= tableLast) {
      table ??= tableOf(weekdaysOf(holidaysUntil(tableLastYear)));
      return table[day - tableFirst] as number;
    }
    all ??= weekdaysOf(holidaysUntil(lastYear));
    return weekdaysThrough(day) - countThrough(all, day);
  };
};

const tableOf = (holidays: Int32Array): Int32Array => {
  const table = new Int32Array(tableLast - tableFirst + 1);
  let passed = 0;
  for (let day = tableFirst; day <= tableLast; day += 1) {
    while (passed < holidays.length && (holidays[passed] as number) <= day) passed += 1;
    table[day - tableFirst] = weekdaysThrough(day) - passed;
  }
  return table;
};

const countThrough = (sorted: Int32Array, day: number): number => {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as number) <= day) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Ascending and each once, without those on a weekend, which take no business day away. */
const weekdaysOf = (holidays: readonly number[]): Int32Array =>
  Int32Array.from(new Set(holidays.filter((day) => weekdaysThrough(day) > weekdaysThrough(day - 1)))).sort();

const holidaysOf =
  ({ since, holidaysIn }: HolidayRule) =>
  (until: number): number[] =>
    Array.from({ length: until - since + 1 }, (_, index) => holidaysIn(since + index)).flat();
