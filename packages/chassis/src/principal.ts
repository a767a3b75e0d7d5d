/** Who a request is from, as the verified internal token says. Nothing a client sends can change it. */
import type { PrincipalClaims } from '@settler/contracts/internal/principal';
import type { Route } from '@settler/contracts/routes';
import { allows } from '@settler/contracts/scopes';
import type { Service } from '@settler/contracts/services';
import type { InternalVerifier } from './internal-token.ts';
import { Refusal } from './refusal.ts';

export interface Principal {
  readonly kind: 'user' | 'apiKey' | 'system';
  readonly id: string;
  readonly organizationId: string;
  readonly scopes: readonly string[];
  readonly role: string | undefined;
  readonly sessionId: string | undefined;
  /** The user who does it, or who answers for the key that does; null where that is nobody, or not known. */
  readonly personId: string | null;
  /** The client's address; null where it could not be determined. */
  readonly address: string | null;
}

/** @throws Refusal `unauthenticated` for anonymous claims, `forbidden` where the scope or the kind of credential does not fit. */
export const principalFor = (claims: PrincipalClaims, access: Route['access']): Principal => {
  if (claims.kind === 'anonymous' || claims.org === undefined) {
    throw new Refusal('unauthenticated', 'This needs an access token or an API key.');
  }
  const principal: Principal = {
    kind: claims.kind,
    id: claims.sub,
    organizationId: claims.org,
    scopes: claims.scopes,
    role: claims.role,
    sessionId: claims.sid,
    personId: claims.kind === 'user' ? claims.sub : (claims.own ?? null),
    address: claims.ip ?? null,
  };
  if (access === 'user' && principal.kind !== 'user') throw new Refusal('forbidden', 'This is for users; an API key cannot do it.');
  if (access !== 'public' && access !== 'any' && access !== 'user' && !allows(principal.scopes, access)) {
    throw new Refusal('forbidden', `This needs the scope ${access}.`, { requiredScope: access });
  }
  return principal;
};

const claimsOf = (authorization: string | undefined, verify: InternalVerifier): PrincipalClaims => {
  if (authorization === undefined || !authorization.startsWith('Bearer '))
    throw new Refusal('unauthenticated', 'The internal credentials are missing.');
  return verify(authorization.slice('Bearer '.length));
};

/** @throws Refusal `unauthenticated` where the header holds no valid internal token, `forbidden` for one of a service that is not named. */
export const claimsFrom = (authorization: string | undefined, verify: InternalVerifier, issuers: readonly Service[]): PrincipalClaims => {
  const claims = claimsOf(authorization, verify);
  if (!issuers.includes(claims.iss)) throw new Refusal('forbidden', `This is not for ${claims.iss}.`);
  return claims;
};
