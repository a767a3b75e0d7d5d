/** What belongs to the request or message being handled: found by the logger, by problems and by the outbox without being passed along. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomFillSync } from 'node:crypto';

export interface WorkContext {
  readonly requestId: string;
  /** 32 hex digits: the trace id of the caller's `traceparent`, or a new one. */
  readonly traceId: string;
  /** W3C trace context to hand on. */
  readonly traceparent: string;
}

const storage = new AsyncLocalStorage<WorkContext>();

export const currentContext = (): WorkContext | undefined => storage.getStore();

// Fetched in advance: a few bytes of chance cost as much as some thousand.
const chance = Buffer.alloc(4_096);
let used = chance.length;
const randomHex = (bytes: number): string => {
  if (used + bytes > chance.length) {
    randomFillSync(chance);
    used = 0;
  }
  used += bytes;
  return chance.toString('hex', used - bytes, used);
};

const traceparentForm = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** A context for a caller's `traceparent` where it is well-formed, else for a new trace. */
export const contextFrom = (requestId: string, traceparent: string | undefined): WorkContext => {
  const match = traceparentForm.exec(traceparent ?? '');
  const known = match !== null && !/^0+$/.test(match[1] ?? '') && !/^0+$/.test(match[2] ?? '');
  const traceId = known ? (match[1] as string) : randomHex(16);
  const flags = known ? (match[3] as string) : '01';
  return { requestId, traceId, traceparent: `00-${traceId}-${randomHex(8)}-${flags}` };
};

export const inContext = <Result>(context: WorkContext, work: () => Result): Result => storage.run(context, work);
