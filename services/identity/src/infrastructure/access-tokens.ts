import { randomUUID } from 'node:crypto';
import { accessTokenAudience, accessTokenSeconds } from '@settler/contracts/internal/access-token';
import { scopesFor } from '@settler/contracts/scopes';
import { SignJWT } from 'jose';
import type { SignAccessToken } from '../application/ports.ts';
import type { Keyring } from './keyring.ts';

/** RFC 9068: the type keeps a token for another purpose, signed with the same key, from passing as this one. */
export const createAccessTokens =
  (keyring: Keyring, issuer: string, nowMs: () => number = Date.now): SignAccessToken =>
  async ({ userId, organizationId, role, sessionId, sessionEndsAt }) => {
    const { id, key } = await keyring.signing();
    // Read once: of two readings the second may be in the next second, and gateways refuse a token that lasts longer than it may.
    const issuedAt = Math.floor(nowMs() / 1_000);
    const left = Math.floor(sessionEndsAt.getTime() / 1_000) - issuedAt;
    const seconds = Math.max(1, Math.min(accessTokenSeconds, left));
    const token = await new SignJWT({ org: organizationId, role, scopes: [...scopesFor(role)], sid: sessionId })
      .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: id })
      .setIssuer(issuer)
      .setAudience(accessTokenAudience)
      .setSubject(userId)
      .setJti(randomUUID())
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + seconds)
      .sign(key);
    return { token, seconds };
  };
