/**
 * Identity's public keys. Kept while identity is away, so that its restart ends no session; asked for again every five minutes,
 * and at once when a token names a key that is not there, though not more often than every few seconds: anybody can invent names.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import type { IdentityClient } from './identity-client.ts';

const refreshMs = 5 * 60_000;
const unknownKeyRefreshMs = 5_000;

export const createKeySet = (identity: IdentityClient): JWTVerifyGetKey => {
  let keys: ReturnType<typeof createLocalJWKSet> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    askedAtMs = performance.now();
    keys = createLocalJWKSet(await identity.keySet());
  };
  const refresh = (): Promise<void> => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };

  return async (header, token) => {
    if (keys === undefined) await refresh();
    // What fails in the background is tried again by the next one who comes late, and nobody has to wait for it.
    else if (performance.now() - askedAtMs > refreshMs) refresh().catch(() => undefined);
    const known = keys;
    if (known === undefined) throw new errors.JWKSNoMatchingKey();
    try {
      return await known(header, token);
    } catch (error) {
      const isUnknown = error instanceof errors.JWKSNoMatchingKey;
      if (!isUnknown || performance.now() - askedAtMs < unknownKeyRefreshMs) throw error;
      await refresh();
      return (keys ?? known)(header, token);
    }
  };
};
