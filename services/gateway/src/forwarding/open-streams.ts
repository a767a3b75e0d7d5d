/** Streams of events and downloads, which last for minutes. Whoever may no longer ask must not go on listening either. */
import type { ServerResponse } from 'node:http';
import { Refusal } from '@settler/chassis/refusal';
import type { Caller } from '../authentication/caller.ts';

export type StreamKind = 'events' | 'download';

export interface OpenStreams {
  /**
   * Follows the credential of a stream until `response` is over: the signal says when the stream has to end.
   * @throws Refusal `rate_limited` where the organization has too many of them open
   */
  readonly open: (kind: StreamKind, caller: Caller, response: ServerResponse) => AbortSignal;
  /**
   * Ends those of this key, session or user, at once or at an instant; without a name all of them, whose clients come back and show who they
   * are.
   */
  readonly endFor: (id?: string, atMs?: number) => void;
  /** Ends all streams of events, and those that are still to come. A download would come to its end in time. */
  readonly close: () => void;
}

/** So that one organization cannot use up the connections of all. */
const perOrganizationMax = 200;
/** The longest that a timer waits. */
const timerMsMax = 2 ** 31 - 1;

export const createOpenStreams = (): OpenStreams => {
  const streams = new Map<AbortController, { readonly kind: StreamKind; readonly caller: Caller; readonly endAt: (ms: number) => void }>();
  const counts = new Map<string, number>();
  let isClosed = false;

  const requireRoom = ({ organizationId }: Caller): void => {
    if ((counts.get(organizationId) ?? 0) < perOrganizationMax) return;
    const detail = `This organization has ${perOrganizationMax} streams and downloads open; end one before you open another.`;
    throw new Refusal('rate_limited', detail, { retryAfterSeconds: 10 });
  };
  const forget = (stream: AbortController, { organizationId }: Caller): void => {
    const left = (counts.get(organizationId) ?? 0) - 1;
    if (left > 0) counts.set(organizationId, left);
    else counts.delete(organizationId);
    streams.delete(stream);
  };

  return {
    open: (kind, caller, response) => {
      // Of one that is over already no event will tell that it is.
      if (response.req.socket.destroyed) return AbortSignal.abort();
      requireRoom(caller);
      const stream = new AbortController();
      let endsAtMs = Number.POSITIVE_INFINITY;
      let timer: NodeJS.Timeout | undefined;
      const endAt = (ms: number): void => {
        if (ms >= endsAtMs) return;
        endsAtMs = ms;
        clearTimeout(timer);
        timer = setTimeout(() => stream.abort(), Math.min(ms - Date.now(), timerMsMax));
      };
      endAt(caller.expiresAtMs);
      streams.set(stream, { kind, caller, endAt });
      counts.set(caller.organizationId, (counts.get(caller.organizationId) ?? 0) + 1);
      response.once('close', () => {
        clearTimeout(timer);
        forget(stream, caller);
      });
      if (isClosed && kind === 'events') stream.abort();
      return stream.signal;
    },
    endFor: (id, atMs = 0) => {
      for (const [stream, { caller, endAt }] of streams) {
        if (id !== undefined && caller.id !== id && caller.sessionId !== id) continue;
        if (atMs <= Date.now()) stream.abort();
        else endAt(atMs);
      }
    },
    close: () => {
      isClosed = true;
      for (const [stream, { kind }] of streams) if (kind === 'events') stream.abort();
    },
  };
};
