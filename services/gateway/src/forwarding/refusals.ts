/** What the client is told where no answer of the service can be passed on. */
import { Refusal, type RefusalDetails } from '@settler/chassis/refusal';
import type { StatefulService } from '@settler/contracts/services';
import { BreakerOpen } from './breaker.ts';
import { DeadlinePassed, NeverSent } from './exchange.ts';

const retryAfterSeconds = 1;

const connectionFailures: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Whether the request may never have arrived, or its answer never left. */
export const isConnectionFailure = (error: unknown): boolean => {
  // Where a name has several addresses, each has failed in its own way.
  if (error instanceof AggregateError) return error.errors.every(isConnectionFailure);
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && connectionFailures.has(error.code);
};

export const refusalFor = (service: StatefulService, error: unknown): unknown => {
  const unavailable = (what: string, details: RefusalDetails = { retryAfterSeconds }) =>
    new Refusal('upstream_unavailable', `The service behind this route, ${service}, ${what}.`, { cause: error, ...details });
  if (error instanceof Refusal) return error;
  if (error instanceof BreakerOpen) {
    const details = { retryAfterSeconds: error.retryAfterSeconds, isReported: true };
    return unavailable('is not answering; it is left alone for a moment', details);
  }
  if (error instanceof NeverSent) return unavailable('has too many requests waiting for it');
  if (error instanceof DeadlinePassed) return unavailable('gave no answer in time');
  return unavailable('cannot be reached');
};
