/**
 * API keys. Identity pays a bcrypt for a key it has not seen, so its verdict is kept, by a keyed hash from which nobody gets the
 * key back. A kept verdict counts as long as revocations are followed; see authenticate.ts for when they are not.
 */
import { hash, randomBytes } from 'node:crypto';
import { type Network, parseNetwork } from '@settler/chassis/network';
import { type ApiKeyVerdict, apiKeyVerdictMsMax } from '@settler/contracts/internal/api-keys';
import { LRUCache } from 'lru-cache';
import { hasApiKeyChecksum, hasApiKeyShape } from './api-key-text.ts';
import type { Caller } from './caller.ts';
import { unauthenticated } from './credentials.ts';
import type { IdentityClient } from './identity-client.ts';

export interface VerifiedKey {
  readonly caller: Caller;
  /** Empty allows every address; undefined marks a list that cannot be read, which allows none. */
  readonly allowedNetworks: readonly Network[] | undefined;
  readonly askedAtMs: number;
}

export interface ApiKeys {
  /**
   * What is kept of a key that was shown on `connection`; undefined where identity must be asked.
   * @throws Refusal `unauthenticated` for junk
   */
  readonly find: (key: string, connection: WeakKey) => VerifiedKey | undefined;
  /** Lets identity hear again that the key is in use, where that is due. Nobody waits for it; while identity is away, the verdict stays. */
  readonly renew: (key: string, kept: VerifiedKey, timeoutMs: number) => void;
  /** Asks identity and keeps what it says. @throws Refusal `unauthenticated`, IdentityUnreachable */
  readonly ask: (key: string, timeoutMs: number) => Promise<VerifiedKey>;
  /** Forgets the key with this id, or all of them. */
  readonly forget: (apiKeyId: string | undefined) => void;
}

const keptMax = 20_000;
const refusedKeptMs = 5_000;
const invalid = () => unauthenticated('The API key is not valid.');

export const createApiKeys = (identity: IdentityClient, secret: Buffer): ApiKeys => {
  const markOfId = new Map<string, string>();
  // Whatever leaves the cache leaves the index too: a key that is kept and cannot be found by its id could not be forgotten.
  const kept = new LRUCache<string, VerifiedKey>({
    max: keptMax,
    dispose: ({ caller }, mark) => markOfId.get(caller.id) === mark && markOfId.delete(caller.id),
  });
  const refused = new LRUCache<string, true>({ max: keptMax, ttl: refusedKeptMs });
  const asking = new Map<string, Promise<VerifiedKey>>();
  let forgotten = 0;

  // A marking key of this process, before keys that all have one length: as good as an HMAC, at a fifth of its cost per request.
  const markingKey = randomBytes(32).toString('base64url');
  const markOf = (key: string): string => hash('sha256', markingKey + key, 'base64url');
  // Most connections show one key again and again. Of a key that is valid, its connection remembers the text as long as it lasts.
  const shown = new WeakMap<WeakKey, { readonly key: string; readonly mark: string }>();

  const ask = async (key: string, mark: string, timeoutMs: number, isRepeated = false): Promise<VerifiedKey> => {
    const askedAtMs = performance.now();
    const forgottenBefore = forgotten;
    const verdict = await identity.verifyApiKey(key, timeoutMs);
    if (!verdict.valid) {
      // Something has changed while identity answered, and it may be that this key counts again.
      if (forgotten === forgottenBefore) refused.set(mark, true);
      kept.delete(mark);
      throw invalid();
    }
    const verified = { caller: callerOf(verdict), allowedNetworks: networksOf(verdict.allowedIps), askedAtMs };
    // Something was revoked while identity answered. It may be this key, after identity looked at it.
    if (forgotten !== forgottenBefore) return isRepeated ? verified : ask(key, mark, timeoutMs, true);
    kept.set(mark, verified);
    markOfId.set(verdict.apiKeyId, mark);
    return verified;
  };
  const askOnce = (key: string, mark: string, timeoutMs: number): Promise<VerifiedKey> => {
    const running =
      asking.get(mark) ??
      ask(key, mark, timeoutMs).finally(() => {
        asking.delete(mark);
      });
    asking.set(mark, running);
    return running;
  };

  return {
    find: (key, connection) => {
      const last = shown.get(connection);
      const isShownAgain = last?.key === key;
      if (!isShownAgain && !hasApiKeyShape(key)) throw invalid();
      const mark = isShownAgain ? last.mark : markOf(key);
      const verified = kept.get(mark);
      if (verified === undefined) {
        shown.delete(connection);
        // What was verified has the right checksum; only what is new has to be checked.
        if (refused.has(mark) || !hasApiKeyChecksum(key, secret)) throw invalid();
        return undefined;
      }
      if (!isShownAgain) shown.set(connection, { key, mark });
      return verified;
    },
    renew: (key, { askedAtMs }, timeoutMs) => {
      if (performance.now() - askedAtMs > apiKeyVerdictMsMax) askOnce(key, markOf(key), timeoutMs).catch(() => undefined);
    },
    ask: (key, timeoutMs) => askOnce(key, markOf(key), timeoutMs),
    forget: (apiKeyId) => {
      forgotten += 1;
      // Whose these are is not known here. One that was given a longer life counts again, at once.
      refused.clear();
      if (apiKeyId === undefined) kept.clear();
      else kept.delete(markOfId.get(apiKeyId) ?? '');
    },
  };
};

const callerOf = (verdict: Extract<ApiKeyVerdict, { valid: true }>): Caller => ({
  kind: 'apiKey',
  id: verdict.apiKeyId,
  organizationId: verdict.organizationId,
  scopes: verdict.scopes,
  role: undefined,
  sessionId: undefined,
  signedBy: undefined,
  ownerId: verdict.ownerId ?? undefined,
  rateLimit: verdict.rateLimit,
  expiresAtMs: verdict.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(verdict.expiresAt),
});

const networksOf = (texts: readonly string[]): readonly Network[] | undefined => {
  const networks = texts.map(parseNetwork);
  return networks.every((network) => network !== undefined) ? networks : undefined;
};
