/** What the gateway itself asks of identity, over connections of its own: a flood of forwarded requests must not delay it. */
import { withDeadline } from '@settler/chassis/deadline';
import type { InternalSigner } from '@settler/chassis/internal-token';
import {
  type ApiKeyVerdict,
  apiKeyVerdict,
  type RevocationsAnswer,
  revocationsAnswer,
  sessionState,
} from '@settler/contracts/internal/api-keys';
import type { JSONWebKeySet } from 'jose';
import { type Dispatcher, Pool } from 'undici';
import { z } from 'zod';

/** Identity gave no usable answer: refused, too late, or in trouble itself. */
export class IdentityUnreachable extends Error {
  override readonly name = 'IdentityUnreachable';
}

export interface IdentityClient {
  readonly verifyApiKey: (key: string, timeoutMs: number) => Promise<ApiKeyVerdict>;
  /** Whether a session still counts, and a token of it that this key has signed. */
  readonly isSessionActive: (sessionId: string, signedBy: string | undefined, timeoutMs: number) => Promise<boolean>;
  readonly revocationsAfter: (revision: number, timeoutMs: number) => Promise<RevocationsAnswer>;
  readonly keySet: () => Promise<JSONWebKeySet>;
  readonly close: () => Promise<void>;
}

const connectionsMax = 16;
const followingConnectionsMax = 2;
const keySetTimeoutMs = 3_000;
const tokenKeptMs = 30_000;
const keySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

export const createIdentityClient = (url: string, sign: InternalSigner): IdentityClient => {
  const open = (connections: number) => new Pool(url, { connections, connectTimeout: 1_000, keepAliveTimeout: 30_000 });
  const pool = open(connectionsMax);
  // Not even questions about keys that hang may delay what says which of them were revoked.
  const followingPool = open(followingConnectionsMax);
  // Not by the clock: where somebody sets that back, the token is of a time that is still to come.
  let kept = { token: '', untilMs: 0 };
  const token = (): string => {
    if (kept.untilMs < performance.now()) {
      kept = { token: sign({ aud: 'identity', sub: 'system', kind: 'system', scopes: [] }), untilMs: performance.now() + tokenKeptMs };
    }
    return kept.token;
  };

  const ask = async <Answer>(
    schema: z.ZodType<Answer>,
    timeoutMs: number,
    method: Dispatcher.HttpMethod,
    path: string,
    { content, by = pool }: { readonly content?: unknown; readonly by?: Pool } = {},
  ): Promise<Answer> => {
    try {
      return await withDeadline(timeoutMs, async ({ signal }) => {
        const { statusCode, body } = await by.request({
          method,
          path,
          headers: { authorization: `Bearer ${token()}`, ...(content === undefined ? {} : { 'content-type': 'application/json' }) },
          body: content === undefined ? null : JSON.stringify(content),
          signal,
        });
        if (statusCode === 200) return schema.parse(await body.json());
        await body.dump();
        throw new Error(`identity answered ${statusCode} to ${method} ${path}`);
      });
    } catch (cause) {
      throw new IdentityUnreachable('identity gave no answer', { cause });
    }
  };

  return {
    verifyApiKey: (key, timeoutMs) => ask(apiKeyVerdict, timeoutMs, 'POST', '/internal/api-keys/verify', { content: { key } }),
    isSessionActive: async (sessionId, signedBy, timeoutMs) => {
      const query = signedBy === undefined ? '' : `?signedBy=${encodeURIComponent(signedBy)}`;
      return (await ask(sessionState, timeoutMs, 'GET', `/internal/sessions/${sessionId}${query}`)).active;
    },
    revocationsAfter: (revision, timeoutMs) =>
      ask(revocationsAnswer, timeoutMs, 'GET', `/internal/revocations?after=${revision}`, { by: followingPool }),
    keySet: () => ask(keySet, keySetTimeoutMs, 'GET', '/.well-known/jwks.json'),
    close: async () => {
      await Promise.all([pool.destroy(), followingPool.destroy()]);
    },
  };
};
