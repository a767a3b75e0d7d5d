import { randomUUID } from 'node:crypto';
import { accessTokenAudience, accessTokenSeconds } from '@settler/contracts/internal/access-token';
import { scopesFor } from '@settler/contracts/scopes';
import { SignJWT } from 'jose';
import type { Grant } from '../application/ports.ts';
import type { Keyring } from './keyring.ts';

/** RFC 9068: the type keeps a token for another purpose, signed with the same key, from passing as this one. */
export const createAccessTokens =
  (keyring: Keyring, issuer: string, nowMs: () => number = Date.now) =>
  async ({ userId, organizationId, role, sessionId }: Grant): Promise<string> => {
    const { id, key } = await keyring.signing();
    // Read once: of two readings the second may be in the next second, and gateways refuse a token that lasts longer than it may.
    const issuedAt = Math.floor(nowMs() / 1_000);
    return new SignJWT({ org: organizationId, role, scopes: [...scopesFor(role)], sid: sessionId })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: id })
      .setIssuer(issuer)
      .setAudience(accessTokenAudience)
      .setSubject(userId)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + accessTokenSeconds)
      .sign(key);
  };
