import type { CalendarName } from '@settler/contracts/rules';
import { dayOf } from '../day.ts';

export interface Calendar {
  readonly isBusinessDay: (day: number) => boolean;
  readonly businessDaysBetween: (earlier: number, later: number) => number;
  readonly rangeOf: (day: number, before: number, after: number) => { readonly first: number; readonly last: number };
}

export const calendarOf = (name: CalendarName): Calendar => {
  const holidays = new Set(typeof name === 'string' ? [] : name.holidays.map(dayOf));
  const isBusinessDay = (day: number) => ((day % 7) + 7 + 3) % 7 < 5 && !holidays.has(day);
  const businessDaysBetween = (earlier: number, later: number) => {
    let count = 0;
    for (let day = earlier + 1; day <= later; day += 1) if (isBusinessDay(day)) count += 1;
    return count;
  };
  return {
    isBusinessDay,
    businessDaysBetween,
    rangeOf: (day, before, after) => {
      let last = day;
      for (let left = after; ; last += 1) if (isBusinessDay(last + 1) && left-- === 0) break;
      let first = day;
      for (let left = before; ; first -= 1) if (isBusinessDay(first) && left-- === 0) break;
      return { first, last };
    },
  };
};
