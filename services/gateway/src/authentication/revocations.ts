/**
 * What stopped counting. Identity is asked every 300 ms and never pushes, so that a revocation reaches every replica within a
 * second whatever the broker does. An answer counts for 900 ms from when it was asked for; after that nothing verified earlier
 * may be relied on without asking again.
 */
import type { Logger } from '@settler/chassis/logger';
import { type RevocationsAnswer, revocationsMax } from '@settler/contracts/internal/api-keys';
import type { IdentityClient } from './identity-client.ts';

type Revoked = RevocationsAnswer['revoked'][number];

export interface Revocations {
  readonly isFresh: () => boolean;
  /** Whether identity has answered at all: before, nobody can be let in, for want of an identity or because it does not believe who asks. */
  readonly isFollowed: () => boolean;
  /** When the last successful answer was asked for, on the process's monotonic clock. */
  readonly lastAskedAtMs: () => number;
  /** Whether `id` was revoked, by `sinceMs` of the wall clock or later where that is given. */
  readonly isRevoked: (kind: Revoked['kind'], id: string, sinceMs?: number) => boolean;
  readonly stop: () => void;
}

export interface RevocationsOptions {
  readonly identity: IdentityClient;
  readonly logger: Logger;
  readonly pollMs: number;
  readonly freshMs: number;
  /** How long what is open may go on while identity cannot be followed, beyond `freshMs`. */
  readonly graceMs: number;
  /** Called for each id that was revoked, and with undefined where everything must be forgotten. */
  readonly onRevoked: (revoked: Revoked | undefined) => void;
  /** Called whenever it is known what was revoked until now. */
  readonly onKnown: () => void;
  /** Called once the grace is over: what was revoked in the meantime is not known. */
  readonly onLost: () => void;
}

/** Access tokens live for 15 minutes: a revocation older than this concerns none that could still be shown. */
const rememberedMs = 20 * 60_000;

/** Between questions until the first answer, for which whoever starts this process waits. */
const firstPollMs = 50;

/** When it was heard of: by the clock, and by how long this process runs, because a clock that was ahead for a moment must not forget. */
interface Seen {
  readonly atMs: number;
  readonly sinceMs: number;
}

export const startRevocations = (options: RevocationsOptions): Revocations => {
  const { identity, logger, pollMs, freshMs, graceMs, onRevoked, onKnown, onLost } = options;
  const seen = new Map<string, Seen>();
  let revision = 0;
  let lastAskedAtMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;
  let wasReached = true;
  let isLost = false;
  const isFollowed = (): boolean => lastAskedAtMs > Number.NEGATIVE_INFINITY;

  const take = (answer: RevocationsAnswer): void => {
    // A revision that went back is another database: what was learned from the old one says nothing.
    if (answer.all || answer.revision < revision) onRevoked(undefined);
    revision = answer.revision;
    const now: Seen = { atMs: Date.now(), sinceMs: performance.now() };
    for (const revoked of answer.revoked) {
      const key = `${revoked.kind} ${revoked.id}`;
      // Deleted first, so that the map stays in the order of time.
      seen.delete(key);
      seen.set(key, now);
      onRevoked(revoked);
    }
    for (const [key, { sinceMs }] of seen) {
      if (sinceMs > now.sinceMs - rememberedMs) break;
      seen.delete(key);
    }
  };

  const follow = async (): Promise<void> => {
    for (let isBehind = true; isBehind; ) {
      const askedAtMs = performance.now();
      const answer = await identity.revocationsAfter(revision, pollMs);
      take(answer);
      isBehind = answer.revoked.length >= revocationsMax;
      // A full page is not the whole answer: what is on the next one has been revoked too.
      if (!isBehind) lastAskedAtMs = askedAtMs;
    }
  };
  const ask = async (): Promise<void> => {
    try {
      await follow();
      onKnown();
      if (!wasReached) logger.info('identity answers again about revocations');
      wasReached = true;
      isLost = false;
    } catch (error) {
      if (wasReached && !isStopped) logger.warn({ err: error }, 'identity does not answer about revocations');
      wasReached = false;
      if (isLost || performance.now() - lastAskedAtMs <= freshMs + graceMs) return;
      isLost = true;
      onLost();
    }
  };
  const poll = async (): Promise<void> => {
    const startedAtMs = performance.now();
    await ask();
    const everyMs = isFollowed() ? pollMs : Math.min(firstPollMs, pollMs);
    if (!isStopped) timer = setTimeout(poll, Math.max(0, everyMs - (performance.now() - startedAtMs)));
  };
  void poll();

  return {
    isFresh: () => performance.now() - lastAskedAtMs <= freshMs,
    isFollowed,
    lastAskedAtMs: () => lastAskedAtMs,
    isRevoked: (kind, id, sinceMs = 0) => (seen.get(`${kind} ${id}`)?.atMs ?? -1) >= sinceMs,
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
};
