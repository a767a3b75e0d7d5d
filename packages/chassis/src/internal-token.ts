/**
 * The token that one service shows another: a compact JWS with EdDSA, signed with node:crypto because jose needs three times as long.
 * Services believe nothing else, and the audience is checked, so that a token for jobs opens nothing in identity.
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { type PrincipalClaims, principalClaims } from '@settler/contracts/internal/principal';
import type { Service } from '@settler/contracts/services';
import { privateKeyOf, publicKeyOf } from './internal-keys.ts';
import { Refusal } from './refusal.ts';

/** Long enough to be kept for 30 s per credential and audience, short enough to be worthless soon. */
export const tokenLifetimeSeconds = 60;
const clockSkewSeconds = 5;
const header = Buffer.from(JSON.stringify({ alg: 'EdDSA', typ: 'settler-internal+jwt' })).toString('base64url');

export type InternalSigner = (claims: Omit<PrincipalClaims, 'iss' | 'iat' | 'exp'>) => string;

export const createInternalSigner = (issuer: Service, privateKeyBase64: string, nowMs: () => number = Date.now): InternalSigner => {
  const key = privateKeyOf(privateKeyBase64);
  return (claims) => {
    const issuedAt = Math.floor(nowMs() / 1000);
    const body = { ...claims, iss: issuer, iat: issuedAt, exp: issuedAt + tokenLifetimeSeconds } satisfies PrincipalClaims;
    const signed = `${header}.${Buffer.from(JSON.stringify(body)).toString('base64url')}`;
    return `${signed}.${sign(null, Buffer.from(signed), key).toString('base64url')}`;
  };
};

export type InternalVerifier = (token: string) => PrincipalClaims;

/**
 * Whoever asks has shown the gateway good credentials: told 401, people would be logged out by a clock that is not theirs. Says which clock
 * it is, because nothing else in the log would.
 */
const outOfTime = ({ iss, iat }: PrincipalClaims, now: number): Refusal => {
  const ahead = iat - now;
  const why =
    ahead > 0
      ? `the clock of ${iss} is ${ahead} s ahead of this one's, and ${clockSkewSeconds} s are borne`
      : `a token that ${iss} has signed ${-ahead} s ago by this clock, and that lasts ${tokenLifetimeSeconds} s: its clock is behind, or it was long on its way`;
  return new Refusal('upstream_unavailable', 'Two services disagree about the time.', { retryAfterSeconds: 1, cause: why });
};

const refused = (why: string) => new Refusal('unauthenticated', 'The internal credentials are not valid.', { cause: why });
const verifiedMax = 5_000;

/**
 * Verifies signature, issuer, audience, type and time. A token that was verified is remembered until it expires: the gateway
 * sends the same one for 30 s, and the signature is most of the cost.
 */
export const createInternalVerifier = (
  audience: Service,
  publicKeys: Readonly<Record<string, string>>,
  nowMs: () => number = Date.now,
): InternalVerifier => {
  const keys = new Map<string, KeyObject>(Object.entries(publicKeys).map(([name, text]) => [name, publicKeyOf(text)]));
  const verified = new Map<string, PrincipalClaims>();

  const check = (token: string): PrincipalClaims => {
    const [head = '', body = '', signature = '', ...rest] = token.split('.');
    if (rest.length > 0 || head !== header) throw refused('not a token of ours');
    const claims = readClaims(body);
    const key = keys.get(claims.iss);
    if (key === undefined || !verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))) {
      throw refused('bad signature');
    }
    if (claims.aud !== audience) throw refused('for another service');
    return claims;
  };

  return (token) => {
    const now = Math.floor(nowMs() / 1000);
    const claims = verified.get(token) ?? check(token);
    if (claims.exp < now - clockSkewSeconds || claims.iat > now + clockSkewSeconds) {
      verified.delete(token);
      throw outOfTime(claims, now);
    }
    if (!verified.has(token)) {
      if (verified.size >= verifiedMax) verified.clear();
      verified.set(token, claims);
    }
    return claims;
  };
};

const readClaims = (body: string): PrincipalClaims => {
  try {
    return principalClaims.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
  } catch (cause) {
    throw new Refusal('unauthenticated', 'The internal credentials are not valid.', { cause });
  }
};
