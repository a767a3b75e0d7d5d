import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dateReader } from '../../src/fields/date.ts';
import { compileDateFormat } from '../../src/fields/date-format.ts';

const unreadable = { reason: expect.any(String) };

describe('an ISO date or instant', () => {
  it.each([
    ['2026-04-01', '2026-04-01'],
    [' 2026-04-01 ', '2026-04-01'],
    ['2024-02-29', '2024-02-29'],
    ['2026-04-01T23:30:00Z', '2026-04-01'],
    ['2026-04-01T23:30:00.123456Z', '2026-04-01'],
    ['2026-04-01t23:30:00z', '2026-04-01'],
    ['2026-04-01T23:30:00-02:00', '2026-04-02'],
    ['2026-04-01T00:30:00+02:00', '2026-03-31'],
    ['2026-04-01 00:30:00 +0200', '2026-03-31'],
    ['2026-04-01T00:30+02', '2026-03-31'],
    ['2026-04-01 23:30:00', '2026-04-01'],
    ['2026-04-01 23:30:00 UTC', '2026-04-01'],
  ])('%s counts on %s', (cell, day) => {
    expect(dateReader()(cell)).toBe(day);
  });

  it.each([
    '2026-02-30',
    '2025-02-29',
    '1900-02-29',
    '2026-13-01',
    '2026-00-10',
    '2026-04-00',
    '2026-04-31',
    '2026-04-01T24:00:00Z',
    '2026-04-01T12:60:00Z',
    '2026-04-01T12:00:60Z',
    '2026-04-01T12:00:00+02:75',
    '2026-04-01T12:00:00+30:00',
    '1899-12-31',
    '3000-01-01',
    '2999-12-31T23:59:00-01:00',
    '01/04/2026',
    '20260401',
    '2026-4-1',
    '2026-04-0x',
    '2026-04-01T',
    '2026-04-01T12',
    'yesterday',
    '0000-00-00',
  ])('%s cannot be read', (cell) => {
    expect(dateReader()(cell)).toEqual(unreadable);
  });

  it('counts an instant on the day it was in the time zone', () => {
    const berlin = dateReader({ timezone: 'Europe/Berlin' });
    expect(berlin('2026-04-01T21:59:59Z')).toBe('2026-04-01');
    expect(berlin('2026-04-01T22:00:00Z')).toBe('2026-04-02');
    // Winter time, where midnight is an hour later in UTC; then the day on which the clocks change.
    expect(berlin('2026-01-31T22:30:00Z')).toBe('2026-01-31');
    expect(berlin('2026-01-31T23:00:00Z')).toBe('2026-02-01');
    expect(berlin('2026-03-28T23:00:00Z')).toBe('2026-03-29');
    expect(berlin('2026-03-29T21:59:59Z')).toBe('2026-03-29');
    expect(berlin('2026-03-29T22:00:00Z')).toBe('2026-03-30');
    // A wall time without an offset is in that zone already.
    expect(berlin('2026-04-01 23:30:00')).toBe('2026-04-01');
  });

  it('agrees with Intl about every instant in every zone', () => {
    const zones = ['America/New_York', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Pacific/Apia', 'Africa/Casablanca', '+05:45'];
    const readers = new Map(zones.map((timezone) => [timezone, dateReader({ timezone })]));
    const instants = fc.date({ min: new Date('1950-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(instants, fc.constantFrom(...zones), (instant, timeZone) => {
        const parts = new Intl.DateTimeFormat('en-US', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(
          instant,
        );
        const part = (wanted: string) => parts.find(({ type }) => type === wanted)?.value;
        expect(readers.get(timeZone)?.(instant.toISOString())).toBe(`${part('year')}-${part('month')}-${part('day')}`);
      }),
    );
  });
});

describe('a date by a format', () => {
  it.each([
    ['dd/MM/yyyy', '03/04/2026', '2026-04-03'],
    ['MM/dd/yyyy', '03/04/2026', '2026-03-04'],
    ['d.M.yy', '3.4.26', '2026-04-03'],
    ['d.M.yy', '13.12.69', '1969-12-13'],
    ['yyyyMMdd', '20260403', '2026-04-03'],
    ['dd MMM yyyy', '03 Apr 2026', '2026-04-03'],
    ['d MMMM yyyy', '3 SEPTEMBER 2026', '2026-09-03'],
    ['EEE, dd MMM yyyy', 'Fri, 03 Apr 2026', '2026-04-03'],
    ['dd-MMM-yy', '03-may-26', '2026-05-03'],
    ['dd/MM/yyyy HH:mm:ss', '03/04/2026 23:59:58', '2026-04-03'],
    ['M/d/yyyy h:mm a', '4/3/2026 12:05 AM', '2026-04-03'],
    ["yyyy-MM-dd'T'HH:mm:ss.SSSXXX", '2026-04-03T23:30:00.000-02:00', '2026-04-04'],
    ['yyyy-MM-dd HH:mm:ss Z', '2026-04-03 00:30:00 +0200', '2026-04-02'],
    ["d 'o''clock' M yyyy", "3 o'clock 4 2026", '2026-04-03'],
  ])('%s reads %s as %s', (format, cell, day) => {
    expect(dateReader({ format })(cell)).toBe(day);
  });

  it.each([
    ['dd/MM/yyyy', '30/02/2026'],
    ['dd/MM/yyyy', '13/13/2026'],
    ['dd/MM/yyyy', '3/4/2026'],
    ['dd/MM/yyyy', '03/04/26'],
    ['dd/MM/yyyy', '03/04/2026 10:22'],
    ['dd/MM/yyyy', '2026-04-03'],
    ['dd/MM/yyyy', '03.04.2026'],
    ['dd.MM.yyyy', '03x04x2026'],
    ['dd MMM yyyy', '03 Foo 2026'],
    ['M/d/yyyy h:mm a', '4/3/2026 13:05 AM'],
    ['M/d/yyyy h:mm a', '4/3/2026 0:05 AM'],
    ['dd/MM/yyyy HH:mm', '03/04/2026 24:00'],
  ])('%s does not read %s', (format, cell) => {
    expect(dateReader({ format })(cell)).toEqual(unreadable);
  });

  it.each([
    ['DD/MM/YYYY', 'unknown token DD: write dd'],
    ['dd/MM/QQ', 'unknown token QQ'],
    ['%d.%m.%Y', 'unknown token m: write dd.MM.yyyy'],
    ['%e.%m.%Y', 'unknown token e'],
    ['dd/MM', 'yyyy'],
    ['MM/yyyy', 'dd'],
    ['dd/yyyy', 'MM'],
    ['dd/MM/MM/yyyy', 'twice'],
    ['dd/MM/yyyy hh:mm', 'hh and a'],
    ["dd/MM/yyyy 'at", 'not closed'],
    ['', 'yyyy'],
  ])('%s is refused: %s', (format, problem) => {
    expect(compileDateFormat(format)).toEqual({ problem: expect.stringContaining(problem) });
  });
});
