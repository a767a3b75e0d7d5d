/**
 * Identity's public keys. Kept while identity is away, so that its restart ends no session; asked for again every five minutes,
 * at once when one was withdrawn, and when a token names a key that is not there, though not more often than every few seconds: anybody can
 * invent names.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { IdentityClient } from './identity-client.ts';

const refreshMs = 5 * 60_000;
const askAgainMs = 5_000;

export interface KeySet {
  /** @throws IdentityUnreachable where no keys are known and none can be had */
  readonly find: JWTVerifyGetKey;
  /** One of the keys counts no more, or nobody knows which of them do. */
  readonly forget: () => void;
}

export const createKeySet = (identity: IdentityClient): KeySet => {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let keptSinceMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;
  let forgotten = 0;

  const ask = async (): Promise<void> => {
    askedAtMs = performance.now();
    const forgottenBefore = forgotten;
    const answer = await identity.keySet();
    // A key was withdrawn while identity answered, and it may be among these.
    if (forgotten !== forgottenBefore) return ask();
    keys = createLocalJWKSet(answer);
    keptSinceMs = askedAtMs;
  };
  const refresh = (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const mayAskAgain = (): boolean => performance.now() - askedAtMs > askAgainMs;

  const find: JWTVerifyGetKey = async (header, token) => {
    if (keys === undefined) await refresh();
    // What fails in the background is tried again by those who come later, and nobody has to wait for it.
    else if (performance.now() - keptSinceMs > refreshMs && mayAskAgain()) refresh().catch(() => undefined);
    const known = keys;
    if (known === undefined) throw new errors.JWKSNoMatchingKey();
    try {
      return await known(header, token);
    } catch (error) {
      // Whoever comes while a question is on its way waits for its answer, which may be about this very key.
      const isUnknown = error instanceof errors.JWKSNoMatchingKey && (asking !== undefined || mayAskAgain());
      if (!isUnknown) throw error;
      await refresh();
      return (keys ?? known)(header, token);
    }
  };

  return {
    find,
    forget: () => {
      forgotten += 1;
      keys = undefined;
      refresh().catch(() => undefined);
    },
  };
};
