import { describe, expect, test } from 'vitest';
import { fire, nextDue, type Schedule, scheduleFault } from '../../src/domain/schedule.ts';

const schedule = (cron: string, timezone = 'UTC', misfire: Schedule['misfire'] = 'run-once'): Schedule => ({ cron, timezone, misfire });

const dues = (cron: string, timezone: string, from: string, count: number): string[] => {
  const found: string[] = [];
  for (let at: Date | null = new Date(from); found.length < count; ) {
    at = nextDue(schedule(cron, timezone), at);
    if (at === null) break;
    found.push(at.toISOString().slice(0, 16));
  }
  return found;
};

describe('a time that the clock skips runs at the first moment after', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:30']],
    ['15,45 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:15']],
    ['0 2,3 * * *', 'Europe/Berlin', '2026-03-28T12:00Z', ['2026-03-29T01:00', '2026-03-30T00:00']],
    ['30 2 * * *', 'America/New_York', '2026-03-07T12:00Z', ['2026-03-08T07:00', '2026-03-09T06:30']],
    ['0 0 * * *', 'America/Santiago', '2026-09-05T12:00Z', ['2026-09-06T04:00', '2026-09-07T03:00']],
    ['0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00Z', ['2011-12-30T10:00', '2012-12-29T22:00']],
  ])('%s in %s', (cron, timezone, from, expected) => {
    expect(dues(cron, timezone, from, 2)).toEqual(expected);
  });
});

describe('a time that comes twice runs once, the first time', () => {
  test.each([
    ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['2026-10-25T00:30', '2026-10-26T01:30']],
    ['15,45 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z', ['2026-10-25T00:15', '2026-10-25T00:45', '2026-10-26T01:15']],
    ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z', ['2026-11-01T05:30', '2026-11-02T06:30']],
    ['0 */2 * * *', 'Europe/Berlin', '2026-10-24T22:30Z', ['2026-10-25T00:00', '2026-10-25T03:00']],
  ])('%s in %s', (cron, timezone, from, expected) => {
    expect(dues(cron, timezone, from, expected.length)).toEqual(expected);
  });

  test('also when it is asked for between the two', () => {
    expect(dues('45 2 * * *', 'Europe/Berlin', '2026-10-25T01:10Z', 1)).toEqual(['2026-10-26T01:45']);
  });
});

test('every hour is each hour that passes, in spring and in autumn', () => {
  expect(dues('15 * * * *', 'Europe/Berlin', '2026-03-29T00:00Z', 3)).toEqual(['2026-03-29T00:15', '2026-03-29T01:15', '2026-03-29T02:15']);
  expect(dues('15,45 * * * *', 'America/New_York', '2026-11-01T05:00Z', 5)).toEqual([
    '2026-11-01T05:15',
    '2026-11-01T05:45',
    '2026-11-01T06:15',
    '2026-11-01T06:45',
    '2026-11-01T07:15',
  ]);
});

test.each([
  ['0 0 31 * *', '2026-01-31T12:00Z', ['2026-03-31', '2026-05-31', '2026-07-31', '2026-08-31']],
  ['0 0 29 2 *', '2026-01-01T00:00Z', ['2028-02-29', '2032-02-29']],
  ['0 0 L * *', '2026-01-01T00:00Z', ['2026-01-31', '2026-02-28', '2026-03-31']],
  ['0 0 * jan-mar/2 SUN', '2026-01-20T00:00Z', ['2026-01-25', '2026-03-01']],
  ['0 0 1 * 5', '2026-01-01T00:00Z', ['2026-01-02', '2026-01-09']],
])('%s is due on the days that it names', (cron, from, expected) => {
  expect(dues(cron, 'UTC', from, expected.length)).toEqual(expected.map((day) => `${day}T00:00`));
});

test('steps within a range', () => {
  expect(dues('*/20 9-17/4 * * MON-FRI', 'UTC', '2026-01-02T17:00Z', 3)).toEqual([
    '2026-01-02T17:20',
    '2026-01-02T17:40',
    '2026-01-05T09:00',
  ]);
});

test.each([
  ['* * * * * *', 'UTC', 'cron', 'seconds'],
  ['', 'UTC', 'cron', 'empty'],
  ['   ', 'UTC', 'cron', 'empty'],
  ['* * * *', 'UTC', 'cron', 'five fields'],
  ['@daily', 'UTC', 'cron', 'five fields'],
  ['0 0 30 2 *', 'UTC', 'cron', 'never comes'],
  ['0 0 31 4,6,9,11 *', 'UTC', 'cron', 'never comes'],
  ['61 * * * *', 'UTC', 'cron', 'has a minute that is not 0 to 59'],
  ['0 24 * * *', 'UTC', 'cron', 'has an hour that is not 0 to 23'],
  ['0 0 32 * *', 'UTC', 'cron', 'has a day of the month that is not 1 to 31'],
  ['0 0 0 * *', 'UTC', 'cron', 'has a day of the month that is not 1 to 31'],
  ['0 0 * 13 *', 'UTC', 'cron', 'has a month that is not 1 to 12'],
  ['0 0 * * 8', 'UTC', 'cron', 'has a day of the week that is not 0 to 7'],
  ['0 0 * * FRI-MON', 'UTC', 'cron', 'has a range that ends before it begins'],
  ['5-1 * * * *', 'UTC', 'cron', 'has a range that ends before it begins'],
  ['*/0 * * * *', 'UTC', 'cron', 'cannot be read: illegal stepping'],
  ['? * * * *', 'UTC', 'cron', 'character'],
  ['0 0 * * noday', 'UTC', 'cron', ''],
  ['0 0 * * *', 'Europe/Atlantis', 'timezone', 'IANA'],
  ['0 0 * * *', '+01:00', 'timezone', 'IANA'],
  ['0 0 * * *', '', 'timezone', 'IANA'],
])('%j in %j is refused at %s', (cron, timezone, field, message) => {
  const fault = scheduleFault({ cron, timezone });
  expect(fault?.field).toBe(field);
  expect(fault?.message).toContain(message);
});

describe('a due time that is handled late', () => {
  const dueAt = new Date('2026-04-01T06:00:00Z');
  const handled = (misfire: Schedule['misfire'], now: string) => fire(schedule('0 * * * *', 'UTC', misfire), dueAt, new Date(now), 60_000);

  test('runs within the grace, whatever the policy', () => {
    for (const misfire of ['skip', 'run-once'] as const)
      expect(handled(misfire, '2026-04-01T06:00:59Z')).toEqual({ runs: true, missed: false, nextRunAt: new Date('2026-04-01T07:00Z') });
  });
  test('is let go by skip, and the next one is in the future', () => {
    expect(handled('skip', '2026-04-01T09:30:00Z')).toEqual({ runs: false, missed: true, nextRunAt: new Date('2026-04-01T10:00Z') });
  });
  test('runs once for all that were missed', () => {
    expect(handled('run-once', '2026-04-01T09:30:00Z')).toEqual({ runs: true, missed: true, nextRunAt: new Date('2026-04-01T10:00Z') });
    expect(handled('run-once', '2026-04-01T06:30:00Z')).toMatchObject({ runs: true, missed: false });
  });
});
