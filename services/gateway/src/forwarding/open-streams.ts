/**
 * What lasts: streams of events, downloads, uploads, and bodies that are not all here yet. Whoever may no longer ask must not go on
 * listening either, nor sending.
 */
import type { ServerResponse } from 'node:http';
import { Refusal } from '@settler/chassis/refusal';
import type { Caller } from '../authentication/caller.ts';
import { unauthenticated } from '../authentication/credentials.ts';

/** `upload` goes to a service as it comes; `body` is held until all of it is here. */
export type StreamKind = 'events' | 'download' | 'upload' | 'body';

export interface OpenStream {
  /** Says when the stream has to end, and for which refusal. */
  readonly end: AbortSignal;
  /**
   * Of those that its organization has. Whoever is refused takes none: the connection may be held open for a while after that.
   * @throws Refusal `rate_limited` where there is none left
   */
  readonly takePlace: () => void;
}

export interface OpenStreams {
  /** Follows the credential of a stream until `response` is over. */
  readonly open: (kind: StreamKind, caller: Caller, response: ServerResponse) => OpenStream;
  /**
   * Ends those of this key, session, user or signing key, at once or at an instant; without a name all of them, whose clients come back and show who they
   * are.
   */
  readonly endFor: (id?: string, atMs?: number) => void;
  /** Ends all streams of events, and those that are still to come. A download would come to its end in time. */
  readonly close: () => void;
}

/** What an organization has of each at most, so that it cannot use up the connections of all. */
const streamsPerOrganizationMax = 200;
/** The longest that a timer waits. */
const timerMsMax = 2 ** 31 - 1;

interface Stream {
  readonly kind: StreamKind;
  readonly caller: Caller;
  readonly endAt: (ms: number, reason: Refusal) => void;
}

const noLongerValid = (): Refusal => unauthenticated('The credentials have been revoked, or have expired.');
const notKnown = (): Refusal =>
  new Refusal('upstream_unavailable', 'Credentials cannot be checked at the moment.', { retryAfterSeconds: 1, isReported: true });

export const createOpenStreams = (uploadsPerOrganizationMax: number): OpenStreams => {
  const streams = new Map<AbortController, Stream>();
  const answers = createCounts(streamsPerOrganizationMax, 'streams and downloads open; end one');
  const uploads = createCounts(uploadsPerOrganizationMax, 'uploads on their way; let one end');
  // Bodies that are held are bounded by the memory that they are given.
  const countsOf = { events: answers, download: answers, upload: uploads, body: undefined } as const;
  let isClosed = false;

  return {
    open: (kind, caller, response) => {
      // Of one that is over already no event will tell that it is.
      if (response.req.socket.destroyed) return { end: AbortSignal.abort(), takePlace: () => {} };
      const count = countsOf[kind];
      let isOver = false;
      let hasPlace = false;
      const stream = new AbortController();
      let endsAtMs = Number.POSITIVE_INFINITY;
      let timer: NodeJS.Timeout | undefined;
      const endAt = (ms: number, reason: Refusal): void => {
        if (ms >= endsAtMs) return;
        endsAtMs = ms;
        clearTimeout(timer);
        timer = setTimeout(() => stream.abort(reason), Math.min(ms - Date.now(), timerMsMax));
      };
      // An access token lasts no longer than an upload may: that it was good when the upload began is enough.
      if (kind === 'events' || kind === 'download') endAt(caller.expiresAtMs, noLongerValid());
      streams.set(stream, { kind, caller, endAt });
      response.once('close', () => {
        clearTimeout(timer);
        isOver = true;
        if (hasPlace) count?.remove(caller);
        streams.delete(stream);
      });
      if (isClosed && kind === 'events') stream.abort();
      const takePlace = (): void => {
        if (isOver) return;
        count?.add(caller);
        hasPlace = true;
      };
      return { end: stream.signal, takePlace };
    },
    endFor: (id, atMs = 0) => {
      const reason = id === undefined ? notKnown() : noLongerValid();
      for (const [stream, { caller, endAt }] of streams) {
        if (id !== undefined && caller.id !== id && caller.sessionId !== id && caller.signedBy !== id) continue;
        if (atMs <= Date.now()) stream.abort(reason);
        else endAt(atMs, reason);
      }
    },
    close: () => {
      isClosed = true;
      for (const [stream, { kind }] of streams) if (kind === 'events') stream.abort();
    },
  };
};

const createCounts = (max: number, what: string) => {
  const counts = new Map<string, number>();
  return {
    /** @throws Refusal `rate_limited` */
    add: ({ organizationId }: Caller): void => {
      const count = counts.get(organizationId) ?? 0;
      if (count >= max) {
        const detail = `This organization has ${max} ${what} before you open another.`;
        throw new Refusal('rate_limited', detail, { retryAfterSeconds: 10 });
      }
      counts.set(organizationId, count + 1);
    },
    remove: ({ organizationId }: Caller): void => {
      const left = (counts.get(organizationId) ?? 0) - 1;
      if (left > 0) counts.set(organizationId, left);
      else counts.delete(organizationId);
    },
  };
};
