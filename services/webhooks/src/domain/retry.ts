/** When a delivery is tried again, and what an answer means (Standard Webhooks 1.0, "Deliverability and reliability"). */

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** The delay before the first attempt, the second, and so on: about 76 hours in all. */
export const defaultScheduleMs: readonly number[] = [
  0,
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

const jitter = 0.2;
const retryAfterMsMax = 24 * hour;

export interface AttemptOutcome {
  /** Null where no answer came. */
  readonly statusCode: number | null;
  readonly retryAfter: string | null;
}

export type Verdict =
  | { readonly kind: 'delivered' }
  /** 410: the receiver says that it is gone for good. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed' }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly reason: 'schedule' | 'retry_after' };

/** `attempts` counts the one that just ended; `chance` is in [0, 1) and spreads retries by ±20 %. */
export const judge = (outcome: AttemptOutcome, attempts: number, scheduleMs: readonly number[], chance: number, now: Date): Verdict => {
  const { statusCode } = outcome;
  if (statusCode !== null && statusCode >= 200 && statusCode < 300) return { kind: 'delivered' };
  if (statusCode === 410) return { kind: 'gone' };
  const delayMs = scheduleMs[attempts];
  if (delayMs === undefined) return { kind: 'failed' };
  const spreadMs = Math.round(delayMs * (1 - jitter + 2 * jitter * chance));
  const askedMs = statusCode === 429 || statusCode === 503 ? retryAfterMs(outcome.retryAfter, now) : 0;
  return askedMs > spreadMs
    ? { kind: 'retry', delayMs: askedMs, reason: 'retry_after' }
    : { kind: 'retry', delayMs: spreadMs, reason: 'schedule' };
};

/** `Retry-After` in seconds or as an HTTP date (RFC 9110, 10.2.3), at most a day. Anything else asks for nothing. */
const retryAfterMs = (header: string | null, now: Date): number => {
  const text = header?.trim() ?? '';
  const asked = /^\d+$/.test(text) ? Number(text) * second : isHttpDate(text) ? Date.parse(text) - now.getTime() : 0;
  return Number.isNaN(asked) ? 0 : Math.min(Math.max(asked, 0), retryAfterMsMax);
};

/** As it is to be written today (RFC 9110, 5.6.7). What else there is to parse, such as `3600, 5`, is a date in some year to JavaScript. */
const isHttpDate = (text: string): boolean => /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text);
