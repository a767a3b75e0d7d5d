/** Access tokens: RS256 and nothing else, of type at+jwt, by identity and for this API. One that was verified is kept until it ends. */
import { hash } from 'node:crypto';
import { idOf, organizationId, userId } from '@settler/contracts/ids';
import { accessTokenSeconds } from '@settler/contracts/internal/access-token';
import { role, scopesFor } from '@settler/contracts/scopes';
import { errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Caller } from './caller.ts';
import { unauthenticated } from './credentials.ts';

const claims = z.object({
  sub: userId,
  org: organizationId,
  role,
  sid: idOf('session'),
  iat: z.number(),
  exp: z.number(),
});

export interface VerifiedToken {
  readonly caller: Caller;
  readonly sessionId: string;
  readonly issuedAtMs: number;
}

export interface AccessTokensOptions {
  readonly keySet: JWTVerifyGetKey;
  readonly issuer: string;
  readonly audience: string;
}

/** @throws Refusal `unauthenticated`; whatever the key set throws where it cannot be had */
export type VerifyAccessToken = (token: string) => Promise<VerifiedToken>;

const keptMax = 20_000;

/** How far the clock of identity may be ahead: with 5 s more, none of the services would believe this gateway. */
const clockSkewSeconds = 60;

/** With a key that was stolen somebody could make tokens that last for years, or begin in years. */
const requireBounded = ({ iat, exp }: z.output<typeof claims>): void => {
  if (exp - iat > accessTokenSeconds) throw unauthenticated('The access token lasts longer than any that is issued here.');
  if (iat > Date.now() / 1000 + clockSkewSeconds) throw unauthenticated('The access token was issued at a time that is still to come.');
};

export const createAccessTokens = ({ keySet, issuer, audience }: AccessTokensOptions): VerifyAccessToken => {
  const kept = new LRUCache<string, VerifiedToken>({ max: keptMax });

  const verify = async (token: string): Promise<VerifiedToken> => {
    const { payload, protectedHeader } = await jwtVerify(token, keySet, {
      algorithms: ['RS256'],
      typ: 'at+jwt',
      issuer,
      audience,
      requiredClaims: ['sub', 'iat', 'exp'],
    }).catch((error: unknown) => {
      if (error instanceof errors.JWTExpired) throw unauthenticated('The access token has expired.', error);
      throw error instanceof errors.JOSEError ? unauthenticated('The access token is not valid.', error) : error;
    });
    const { data, error } = claims.safeParse(payload);
    if (data === undefined) throw unauthenticated('The access token is not valid.', error);
    requireBounded(data);
    return {
      caller: {
        kind: 'user',
        id: data.sub,
        organizationId: data.org,
        scopes: scopesFor(data.role),
        role: data.role,
        sessionId: data.sid,
        signedBy: protectedHeader.kid,
        ownerId: undefined,
        rateLimit: null,
        expiresAtMs: data.exp * 1000,
      },
      sessionId: data.sid,
      issuedAtMs: data.iat * 1000,
    };
  };

  return async (token) => {
    // The digest and not the token, so that what is kept opens nothing.
    const digest = hash('sha256', token, 'base64url');
    const known = kept.get(digest);
    if (known !== undefined) {
      if (known.caller.expiresAtMs > Date.now()) return known;
      kept.delete(digest);
      throw unauthenticated('The access token has expired.');
    }
    const verified = await verify(token);
    kept.set(digest, verified);
    return verified;
  };
};
