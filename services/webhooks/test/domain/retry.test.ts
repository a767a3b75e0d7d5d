import { describe, expect, test } from 'vitest';
import { defaultScheduleMs, judge } from '../../src/domain/retry.ts';

const now = new Date('2026-04-01T00:00:00.000Z');
const after = (statusCode: number | null, attempts = 1, retryAfter: string | null = null, chance = 0.5) =>
  judge({ statusCode, retryAfter }, attempts, defaultScheduleMs, chance, now);

describe('what an answer means', () => {
  test.each([200, 201, 204, 299])('%i is delivered', (status) => expect(after(status)).toEqual({ kind: 'delivered' }));

  test('410 says that the endpoint is gone', () => expect(after(410)).toEqual({ kind: 'gone' }));

  test.each([null, 199, 301, 400, 404, 429, 500, 503])('%s is tried again by the schedule', (status) => {
    expect(after(status)).toEqual({ kind: 'retry', delayMs: 5_000, reason: 'schedule' });
  });

  test('delays spread by a fifth either way', () => {
    expect(after(500, 1, null, 0)).toMatchObject({ delayMs: 4_000 });
    expect(after(500, 1, null, 0.999999)).toMatchObject({ delayMs: 6_000 });
  });

  test('after ten attempts it has failed', () => {
    expect(after(500, 9)).toMatchObject({ kind: 'retry' });
    expect(after(500, 10)).toEqual({ kind: 'failed' });
  });

  test('Retry-After counts on 429 and 503, in seconds or as a date, up to a day, and never shortens', () => {
    expect(after(429, 1, '120')).toEqual({ kind: 'retry', delayMs: 120_000, reason: 'retry_after' });
    expect(after(503, 1, 'Wed, 01 Apr 2026 00:10:00 GMT')).toEqual({ kind: 'retry', delayMs: 600_000, reason: 'retry_after' });
    expect(after(429, 1, '999999999')).toMatchObject({ delayMs: 24 * 3600_000 });
    expect(after(429, 1, '1')).toEqual({ kind: 'retry', delayMs: 5_000, reason: 'schedule' });
    expect(after(429, 1, 'soon')).toMatchObject({ reason: 'schedule' });
    expect(after(500, 1, '120')).toMatchObject({ reason: 'schedule' });
    expect(after(429, 1, ' 120 ')).toMatchObject({ delayMs: 120_000 });
  });

  test.each(['3600, 5', '2030-01-01', '120.5', '-120', '+120', '1e3', '0x78', '', 'Wed, 99 Apr 2026 00:10:00 GMT', '1 Jan 2030'])(
    'Retry-After: %s asks for nothing',
    (header) => expect(after(503, 1, header)).toEqual({ kind: 'retry', delayMs: 5_000, reason: 'schedule' }),
  );
});
