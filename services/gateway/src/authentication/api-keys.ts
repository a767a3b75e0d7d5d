/**
 * API keys. Identity pays a bcrypt for a key it has not seen, so its verdict is kept, by an HMAC from which nobody gets the key
 * back. A kept verdict counts as long as revocations are followed; see authenticate.ts for when they are not.
 */
import { createHmac } from 'node:crypto';
import { type ApiKeyVerdict, apiKeyVerdictMsMax } from '@settler/contracts/internal/api-keys';
import { LRUCache } from 'lru-cache';
import { type Network, parseNetwork } from '../network.ts';
import { looksLikeApiKey } from './api-key-text.ts';
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
  /** What is kept of a key; undefined where identity must be asked. @throws Refusal `unauthenticated` for junk */
  readonly find: (key: string) => VerifiedKey | undefined;
  /** Asks identity and keeps what it says. @throws Refusal `unauthenticated`, IdentityUnreachable */
  readonly ask: (key: string, timeoutMs: number) => Promise<VerifiedKey>;
  /** Forgets the key with this id, or all of them. */
  readonly forget: (apiKeyId: string | undefined) => void;
}

const keptMax = 20_000;
const refusedKeptMs = 5_000;
const askTimeoutMs = 3_000;
const invalid = () => unauthenticated('The API key is not valid.');

export const createApiKeys = (identity: IdentityClient, secret: Buffer): ApiKeys => {
  const kept = new LRUCache<string, VerifiedKey>({ max: keptMax });
  const refused = new LRUCache<string, true>({ max: keptMax, ttl: refusedKeptMs });
  const asking = new Map<string, Promise<VerifiedKey>>();
  const marksOf = new LRUCache<string, string>({ max: keptMax });
  let forgotten = 0;

  const markOf = (key: string): string => createHmac('sha256', secret).update(`kept ${key}`).digest('base64url');

  const ask = async (key: string, mark: string, timeoutMs: number): Promise<VerifiedKey> => {
    const askedAtMs = performance.now();
    const forgottenBefore = forgotten;
    const verdict = await identity.verifyApiKey(key, timeoutMs);
    if (!verdict.valid) {
      refused.set(mark, true);
      kept.delete(mark);
      throw invalid();
    }
    const verified = { caller: callerOf(verdict), allowedNetworks: networksOf(verdict.allowedIps), askedAtMs };
    // What was revoked while identity answered may have been revoked after it looked: good for this request, kept for none.
    if (forgotten === forgottenBefore) {
      kept.set(mark, verified);
      marksOf.set(verdict.apiKeyId, mark);
    }
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
    find: (key) => {
      if (!looksLikeApiKey(key, secret)) throw invalid();
      const mark = markOf(key);
      if (refused.has(mark)) throw invalid();
      const verified = kept.get(mark);
      // Identity hears again that the key is in use; nobody waits for that, and while identity is away the verdict stays.
      if (verified !== undefined && performance.now() - verified.askedAtMs > apiKeyVerdictMsMax && !asking.has(mark)) {
        askOnce(key, mark, askTimeoutMs).catch(() => undefined);
      }
      return verified;
    },
    ask: (key, timeoutMs) => askOnce(key, markOf(key), timeoutMs),
    forget: (apiKeyId) => {
      forgotten += 1;
      if (apiKeyId === undefined) kept.clear();
      else kept.delete(marksOf.get(apiKeyId) ?? '');
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
  rateLimit: verdict.rateLimit,
  expiresAtMs: verdict.expiresAt === null ? Number.POSITIVE_INFINITY : Date.parse(verdict.expiresAt),
});

const networksOf = (texts: readonly string[]): readonly Network[] | undefined => {
  const networks = texts.map(parseNetwork);
  return networks.every((network) => network !== undefined) ? networks : undefined;
};
