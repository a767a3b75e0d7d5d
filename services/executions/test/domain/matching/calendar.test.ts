import type { CalendarName } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calendarOf } from '../../../src/domain/matching/calendar/calendar.ts';
import { dayOf, dayText } from '../../../src/domain/matching/day.ts';

const day = (text: string): number => {
  const number = dayOf(text);
  if (number === undefined) throw new Error(`${text} is not a day`);
  return number;
};

const isWeekday = (number: number): boolean => {
  const weekday = new Date(number * 86_400_000).getUTCDay();
  return weekday >= 1 && weekday <= 5;
};

/** Mondays to Fridays without business, as month and date. */
const closedIn = (name: CalendarName, year: number): string => {
  const calendar = calendarOf(name);
  const closed: string[] = [];
  for (let at = day(`${year}-01-01`); at <= day(`${year}-12-31`); at += 1) {
    if (isWeekday(at) && !calendar.isBusinessDay(at)) closed.push(dayText(at).slice(5));
  }
  return closed.join(' ');
};

test('a day is written as year, month and date, and one that does not exist is none', () => {
  expect(['1970-01-01', '1969-12-31', '2000-02-29', '9999-12-31'].map((text) => dayText(dayOf(text) ?? 0))).toEqual([
    '1970-01-01',
    '1969-12-31',
    '2000-02-29',
    '9999-12-31',
  ]);
  for (const none of ['', '2026-4-1', '12026-04-01', '2026-04-011', '2026-02-29', '2100-02-29', '2026-13-01', '2026-00-10'])
    expect(dayOf(none), none).toBeUndefined();
});

describe('TARGET', () => {
  // ECB, TARGET closing days of the years, without those on weekends.
  test.each([
    [1998, ''],
    [1999, '01-01 12-31'],
    [2000, '04-21 04-24 05-01 12-25 12-26'],
    [2001, '01-01 04-13 04-16 05-01 12-25 12-26 12-31'],
    [2002, '01-01 03-29 04-01 05-01 12-25 12-26'],
    [2008, '01-01 03-21 03-24 05-01 12-25 12-26'],
    [2011, '04-22 04-25 12-26'],
    [2022, '04-15 04-18 12-26'],
    [2024, '01-01 03-29 04-01 05-01 12-25 12-26'],
    [2025, '01-01 04-18 04-21 05-01 12-25 12-26'],
    [2026, '01-01 04-03 04-06 05-01 12-25'],
    [2027, '01-01 03-26 03-29'],
    [2038, '01-01 04-23 04-26'],
  ])('is closed in %i as the ECB announced', (year, closed) => {
    expect(closedIn('TARGET', year)).toBe(closed);
  });
});

describe('US-federal', () => {
  // Federal Reserve, K.8, holidays observed 2020-2024 and 2026-2030: on a Saturday the Reserve Banks are open the Friday before.
  test.each([
    [2020, '01-01 01-20 02-17 05-25 09-07 10-12 11-11 11-26 12-25'],
    [2021, '01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25'],
    [2022, '01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26'],
    [2023, '01-02 01-16 02-20 05-29 06-19 07-04 09-04 10-09 11-23 12-25'],
    [2024, '01-01 01-15 02-19 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25'],
    [2025, '01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25'],
    [2026, '01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25'],
    [2027, '01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25'],
    [2028, '01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-23 12-25'],
    [2029, '01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25'],
    [2030, '01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25'],
  ])('is closed in %i as the Reserve Banks were or will be', (year, closed) => {
    expect(closedIn('US-federal', year)).toBe(closed);
  });

  test('knows the holidays of their time: Veterans Day in October until 1977, no King before 1986, nothing before 1971', () => {
    expect(closedIn('US-federal', 1970)).toBe('');
    expect(closedIn('US-federal', 1971)).toBe('01-01 02-15 05-31 07-05 09-06 10-11 10-25 11-25');
    expect(closedIn('US-federal', 1977)).toBe('02-21 05-30 07-04 09-05 10-10 10-24 11-24 12-26');
    expect(closedIn('US-federal', 1978)).toBe('01-02 02-20 05-29 07-04 09-04 10-09 11-23 12-25');
    expect(closedIn('US-federal', 1985)).toBe('01-01 02-18 05-27 07-04 09-02 10-14 11-11 11-28 12-25');
    expect(closedIn('US-federal', 1986)).toBe('01-01 01-20 02-17 05-26 07-04 09-01 10-13 11-11 11-27 12-25');
  });

  test('settles on the Friday before a holiday that is a Saturday, and on days when only the government rests', () => {
    const { isBusinessDay } = calendarOf('US-federal');
    for (const open of ['2021-06-18', '2021-12-24', '2021-12-31', '2026-07-03', '2027-06-18', '2028-11-10']) {
      expect(isBusinessDay(day(open)), open).toBe(true);
    }
    // Inauguration Day, and the day of mourning for President Carter.
    expect(isBusinessDay(day('2021-01-20'))).toBe(true);
    expect(isBusinessDay(day('2025-01-09'))).toBe(true);
  });
});

describe('UK-banking', () => {
  // gov.uk/bank-holidays, England and Wales; the earlier years from the proclamations in the London Gazette.
  test.each([
    [1977, ''],
    [1978, '01-02 03-24 03-27 05-01 05-29 08-28 12-25 12-26'],
    [1981, '01-01 04-17 04-20 05-04 05-25 07-29 08-31 12-25 12-28'],
    [1995, '01-02 04-14 04-17 05-08 05-29 08-28 12-25 12-26'],
    [1999, '01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28 12-31'],
    [2002, '01-01 03-29 04-01 05-06 06-03 06-04 08-26 12-25 12-26'],
    [2010, '01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28'],
    [2011, '01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-26 12-27'],
    [2012, '01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26'],
    [2018, '01-01 03-30 04-02 05-07 05-28 08-27 12-25 12-26'],
    [2019, '01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26'],
    [2020, '01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28'],
    [2021, '01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28'],
    [2022, '01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27'],
    [2023, '01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26'],
    [2024, '01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26'],
    [2025, '01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26'],
    [2026, '01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28'],
    [2027, '01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28'],
  ])('is closed in %i as published for England and Wales', (year, closed) => {
    expect(closedIn('UK-banking', year)).toBe(closed);
  });
});

describe('a list of holidays', () => {
  test('is kept beside weekends, whatever its order and however often it names a day', () => {
    const holidays = ['2026-12-31', '2026-12-24', '2026-12-26', '2026-12-24'];
    expect(closedIn({ holidays }, 2026)).toBe('12-24 12-31');
    expect(closedIn({ holidays: [] }, 2026)).toBe('');
    expect(calendarOf({ holidays }).businessDaysBetween(day('2026-12-23'), day('2027-01-04'))).toBe(6);
  });

  test('counts long before 1970 and long after 2100 as between them', () => {
    const { isBusinessDay, businessDaysBetween } = calendarOf({ holidays: ['0100-01-01', '1969-12-31', '2101-01-03', '9999-12-31'] });
    for (const closed of ['0100-01-01', '1969-12-31', '2101-01-03', '9999-12-31']) expect(isBusinessDay(day(closed)), closed).toBe(false);
    for (const open of ['0100-01-04', '1969-12-30', '1970-01-01', '2101-01-04', '9999-12-30'])
      expect(isBusinessDay(day(open)), open).toBe(true);
    expect(businessDaysBetween(day('1969-12-29'), day('1970-01-02'))).toBe(3);
    expect(businessDaysBetween(day('2100-12-30'), day('2101-01-04'))).toBe(2);
  });
});

test('what lies beyond the table follows the same rules', () => {
  expect(closedIn('TARGET', 2100)).toBe('01-01 03-26 03-29');
  expect(closedIn('TARGET', 2101)).toBe('04-15 04-18 12-26');
  expect(closedIn('US-federal', 2101)).toBe('01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26');
  expect(closedIn('UK-banking', 2400)).toBe(closedIn('UK-banking', 2000).replace('04-21 04-24', '04-14 04-17'));
});

test('the day named in the rules: Thursday to Tuesday over Easter is one business day', () => {
  const { businessDaysBetween } = calendarOf('TARGET');
  expect(businessDaysBetween(day('2026-04-02'), day('2026-04-07'))).toBe(1);
  expect(calendarOf('weekends').businessDaysBetween(day('2026-04-02'), day('2026-04-07'))).toBe(3);
});

describe('the window around a day', () => {
  const windowOf = (name: CalendarName, around: string, before: number, after: number): string => {
    const { first, last } = calendarOf(name).rangeOf(day(around), before, after);
    return `${dayText(first)} ${dayText(last)}`;
  };

  test('of a Friday ends on Sunday, of a Sunday begins on Friday, of a Monday with itself', () => {
    expect(windowOf('weekends', '2026-04-10', 0, 0)).toBe('2026-04-10 2026-04-12');
    expect(windowOf('weekends', '2026-04-12', 0, 0)).toBe('2026-04-10 2026-04-12');
    expect(windowOf('weekends', '2026-04-13', 0, 0)).toBe('2026-04-13 2026-04-13');
    expect(windowOf('weekends', '2026-04-13', 1, 0)).toBe('2026-04-10 2026-04-13');
  });

  test('reaches over holidays', () => {
    expect(windowOf('TARGET', '2026-04-02', 0, 1)).toBe('2026-04-02 2026-04-07');
    expect(windowOf('TARGET', '2026-04-03', 0, 1)).toBe('2026-04-02 2026-04-07');
    expect(windowOf('TARGET', '2026-04-07', 1, 0)).toBe('2026-04-02 2026-04-07');
  });
});

describe('for any calendar and days', () => {
  const named = (['weekends', 'TARGET', 'US-federal', 'UK-banking'] as const).map(calendarOf);
  const aroundTheEpoch = fc.integer({ min: day('1969-11-01'), max: day('1970-03-01') });
  const calendars = fc.oneof(
    fc.constantFrom(...named),
    fc.array(aroundTheEpoch, { maxLength: 90 }).map((holidays) => calendarOf({ holidays: holidays.map(dayText) })),
  );
  const days = fc.oneof(
    fc.integer({ min: day('1969-10-01'), max: day('1970-04-01') }),
    fc.integer({ min: day('2019-01-01'), max: day('2031-12-31') }),
    fc.integer({ min: day('2100-11-01'), max: day('2101-02-28') }),
    fc.integer({ min: day('0100-01-01'), max: day('9999-11-30') }),
  );

  test('the distance is the business days counted one by one', () => {
    fc.assert(
      fc.property(calendars, days, fc.nat(120), (calendar, earlier, length) => {
        const { isBusinessDay, businessDaysBetween } = calendar;
        let counted = 0;
        for (let at = earlier + 1; at <= earlier + length; at += 1) if (isBusinessDay(at)) counted += 1;
        expect(businessDaysBetween(earlier, earlier + length)).toBe(counted);
      }),
    );
  });

  test('distances add up and never shrink', () => {
    fc.assert(
      fc.property(calendars, days, fc.nat(5_000), fc.nat(5_000), (calendar, earlier, length, more) => {
        const { businessDaysBetween } = calendar;
        const whole = businessDaysBetween(earlier, earlier + length + more);
        const part = businessDaysBetween(earlier, earlier + length);
        expect(part + businessDaysBetween(earlier + length, earlier + length + more)).toBe(whole);
        expect(part).toBeGreaterThanOrEqual(0);
        expect(part).toBeLessThanOrEqual(whole);
        expect(businessDaysBetween(earlier + length, earlier)).toBe(0 - part);
      }),
    );
  });

  test('no weekend is a business day, and without holidays every weekday is', () => {
    fc.assert(
      fc.property(calendars, days, (calendar, at) => {
        if (!isWeekday(at)) expect(calendar.isBusinessDay(at)).toBe(false);
        expect(calendarOf('weekends').isBusinessDay(at)).toBe(isWeekday(at));
      }),
    );
  });

  test('the window holds exactly the days within the distances', () => {
    fc.assert(
      fc.property(calendars, days, fc.nat(12), fc.nat(12), (calendar, at, before, after) => {
        const { businessDaysBetween, rangeOf } = calendar;
        const { first, last } = rangeOf(at, before, after);
        expect(first).toBeLessThanOrEqual(at);
        expect(last).toBeGreaterThanOrEqual(at);
        expect(businessDaysBetween(first, at)).toBeLessThanOrEqual(before);
        expect(businessDaysBetween(at, last)).toBeLessThanOrEqual(after);
        expect(businessDaysBetween(first - 1, at)).toBeGreaterThan(before);
        expect(businessDaysBetween(at, last + 1)).toBeGreaterThan(after);
      }),
    );
  });
});
