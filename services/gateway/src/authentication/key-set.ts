/**
 * Identity's public keys. Kept while identity is away, so that its restart ends no session; asked for again every five minutes,
 * and at once when a token names a key that is not there, though not more often than every few seconds: anybody can invent names.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { IdentityClient } from './identity-client.ts';

const refreshMs = 5 * 60_000;
const askAgainMs = 5_000;

export const createKeySet = (identity: IdentityClient): JWTVerifyGetKey => {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let keptSinceMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    askedAtMs = performance.now();
    keys = createLocalJWKSet(await identity.keySet());
    keptSinceMs = askedAtMs;
  };
  const refresh = (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  const mayAskAgain = (): boolean => performance.now() - askedAtMs > askAgainMs;

  return async (header, token) => {
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
};
