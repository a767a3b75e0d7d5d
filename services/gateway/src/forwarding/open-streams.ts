/** Streams of events, which stay open for minutes. Whoever may no longer ask must not go on listening either. */
import type { ServerResponse } from 'node:http';
import { Refusal } from '@settler/chassis/refusal';
import type { Caller } from '../authentication/caller.ts';

export interface OpenStreams {
  /**
   * Follows the credential of a stream until `response` is over: the signal says when the stream has to end.
   * @throws Refusal `rate_limited` where the organization has too many of them open
   */
  readonly open: (caller: Caller, response: ServerResponse) => AbortSignal;
  /** Ends those of this key, session or user; without a name all of them, whose clients come back and show who they are. */
  readonly endFor: (id?: string) => void;
  /** Ends all of them, and those that are still to come. */
  readonly close: () => void;
}

/** So that one organization cannot use up the connections of all. */
const perOrganizationMax = 200;
/** The longest that a timer waits. */
const timerMsMax = 2 ** 31 - 1;

export const createOpenStreams = (): OpenStreams => {
  const streams = new Map<AbortController, Caller>();
  const counts = new Map<string, number>();
  let isClosed = false;

  const requireRoom = ({ organizationId }: Caller): void => {
    if ((counts.get(organizationId) ?? 0) < perOrganizationMax) return;
    const detail = `This organization has ${perOrganizationMax} streams of events open; end one before you open another.`;
    throw new Refusal('rate_limited', detail, { retryAfterSeconds: 10 });
  };
  const forget = (stream: AbortController, { organizationId }: Caller): void => {
    const left = (counts.get(organizationId) ?? 0) - 1;
    if (left > 0) counts.set(organizationId, left);
    else counts.delete(organizationId);
    streams.delete(stream);
  };

  return {
    open: (caller, response) => {
      // Of one that is over already no event will tell that it is.
      if (response.req.socket.destroyed) return AbortSignal.abort();
      requireRoom(caller);
      const stream = new AbortController();
      const timer = setTimeout(() => stream.abort(), Math.min(caller.expiresAtMs - Date.now(), timerMsMax));
      streams.set(stream, caller);
      counts.set(caller.organizationId, (counts.get(caller.organizationId) ?? 0) + 1);
      response.once('close', () => {
        clearTimeout(timer);
        forget(stream, caller);
      });
      if (isClosed) stream.abort();
      return stream.signal;
    },
    endFor: (id) => {
      for (const [stream, caller] of streams) if (id === undefined || caller.id === id || caller.sessionId === id) stream.abort();
    },
    close: () => {
      isClosed = true;
      for (const stream of streams.keys()) stream.abort();
    },
  };
};
