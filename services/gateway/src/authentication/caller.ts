/** Who a request is from, once its credential was verified. One object lives as long as the verdict behind it is kept. */
import { Refusal } from '@settler/chassis/refusal';
import type { Route } from '@settler/contracts/routes';
import { allows } from '@settler/contracts/scopes';

export interface Caller {
  readonly kind: 'user' | 'apiKey';
  /** The user's or key's id. */
  readonly id: string;
  readonly organizationId: string;
  readonly scopes: readonly string[];
  readonly role: string | undefined;
  readonly sessionId: string | undefined;
  /** Of an access token: the key that signed it. */
  readonly signedBy: string | undefined;
  /** Of a key: the user who answers for it, where that is known. */
  readonly ownerId: string | undefined;
  /** Its own limit; null for the default one. */
  readonly rateLimit: { readonly limit: number; readonly windowMs: number } | null;
  /** Infinity for a key that never expires. */
  readonly expiresAtMs: number;
}

/** What requests are counted under: the key, or the session and not its ever new tokens. */
export const countedAs = (caller: Caller): string => caller.sessionId ?? caller.id;

/** @throws Refusal `forbidden` */
export const requireAccess = (caller: Caller, access: Route['access']): void => {
  if (access === 'public' || access === 'any') return;
  if (access === 'user') {
    if (caller.kind !== 'user') throw new Refusal('forbidden', 'This is for users; an API key cannot do it.');
    return;
  }
  if (!allows(caller.scopes, access)) throw new Refusal('forbidden', `This needs the scope ${access}.`, { requiredScope: access });
};
