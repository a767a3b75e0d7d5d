/**
 * From a credential to a caller. While revocations are followed, what was verified once counts. When they are not, identity is
 * asked about each request; and where identity cannot be reached at all, nobody can revoke through it either, so what was
 * verified goes on for a grace, and its restart takes nothing down.
 */

import { isWithin, parseAddress } from '@settler/chassis/network';
import { Refusal } from '@settler/chassis/refusal';
import type { VerifyAccessToken } from './access-tokens.ts';
import type { ApiKeys, VerifiedKey } from './api-keys.ts';
import type { Caller } from './caller.ts';
import { type Credential, unauthenticated } from './credentials.ts';
import { type IdentityClient, IdentityUnreachable } from './identity-client.ts';
import type { Revocations } from './revocations.ts';

export interface AuthenticateNeeds {
  readonly identity: IdentityClient;
  readonly revocations: Revocations;
  readonly apiKeys: ApiKeys;
  readonly verifyAccessToken: VerifyAccessToken;
  readonly freshMs: number;
  readonly graceMs: number;
  /** How long identity may take to say again what it has said before. */
  readonly askAgainTimeoutMs: number;
}

/** @throws Refusal `unauthenticated`, `forbidden` for an address that the key does not allow, `upstream_unavailable` */
export type Authenticate = (credential: Credential, address: string | null, connection: WeakKey) => Promise<Caller>;

const firstAskTimeoutMs = 3_000;

export const createAuthenticate = (needs: AuthenticateNeeds): Authenticate => {
  const { identity, revocations, apiKeys, verifyAccessToken, freshMs, graceMs, askAgainTimeoutMs } = needs;

  const isWithinGrace = (verifiedAtMs: number): boolean => performance.now() - verifiedAtMs <= freshMs + graceMs;
  const orUnavailable = (error: unknown): never => {
    if (!(error instanceof IdentityUnreachable)) throw error;
    throw new Refusal('upstream_unavailable', 'Credentials cannot be checked at the moment.', {
      retryAfterSeconds: 1,
      cause: error,
      isReported: !revocations.isFresh(),
    });
  };

  const currentKey = async (key: string, connection: WeakKey): Promise<VerifiedKey> => {
    const kept = apiKeys.find(key, connection);
    if (kept !== undefined && revocations.isFresh()) {
      apiKeys.renew(key, kept, askAgainTimeoutMs);
      return kept;
    }
    try {
      return await apiKeys.ask(key, kept === undefined ? firstAskTimeoutMs : askAgainTimeoutMs);
    } catch (error) {
      const lastKnownAtMs = Math.max(revocations.lastAskedAtMs(), kept?.askedAtMs ?? Number.NEGATIVE_INFINITY);
      if (error instanceof IdentityUnreachable && kept !== undefined && isWithinGrace(lastKnownAtMs)) return kept;
      return orUnavailable(error);
    }
  };

  const withApiKey = async (key: string, address: string | null, connection: WeakKey): Promise<Caller> => {
    const { caller, allowedNetworks } = await currentKey(key, connection);
    if (caller.expiresAtMs <= Date.now()) throw unauthenticated('The API key has expired.');
    if (!isAllowed(address, allowedNetworks)) throw new Refusal('forbidden', 'This API key may not be used from this address.');
    return caller;
  };

  /** @throws where identity says no, and where nobody can say and the grace is over. */
  const requireCurrentSession = async (sessionId: string, signedBy: string | undefined): Promise<void> => {
    if (revocations.isFresh()) return;
    try {
      if (await identity.isSessionActive(sessionId, signedBy, askAgainTimeoutMs)) return;
    } catch (error) {
      if (error instanceof IdentityUnreachable && isWithinGrace(revocations.lastAskedAtMs())) return;
      orUnavailable(error);
    }
    throw unauthenticated('The session has ended.');
  };

  const withAccessToken = async (token: string): Promise<Caller> => {
    const { caller, sessionId, issuedAtMs } = await verifyAccessToken(token).catch(orUnavailable);
    await requireCurrentSession(sessionId, caller.signedBy);
    // A token that was issued after its user's rights changed already carries the new ones.
    if (revocations.isRevoked('session', sessionId) || revocations.isRevoked('user', caller.id, issuedAtMs)) {
      throw unauthenticated('The session has ended.');
    }
    // Looked at for each request, because a token that was verified is kept.
    if (caller.signedBy !== undefined && revocations.isRevoked('signingKey', caller.signedBy)) {
      throw unauthenticated('The key that signed this access token was withdrawn; refresh it.');
    }
    return caller;
  };

  return (credential, address, connection) =>
    credential.kind === 'apiKey' ? withApiKey(credential.key, address, connection) : withAccessToken(credential.token);
};

/** Fails closed: an address that is not known, or a list that cannot be read, allows nobody. */
const isAllowed = (address: string | null, networks: VerifiedKey['allowedNetworks']): boolean => {
  if (networks?.length === 0) return true;
  const parsed = address === null ? undefined : parseAddress(address);
  return networks !== undefined && parsed !== undefined && isWithin(parsed, networks);
};
