/** API keys as they are kept and shown. */
import type { Scope } from '@settler/contracts/scopes';
import type { Doer } from '../domain/membership.ts';
import type { Actor } from './ports.ts';

export interface NewApiKey {
  readonly id: string;
  readonly name: string;
  readonly locator: string;
  readonly prefix: string;
  readonly hash: string;
  readonly scopes: readonly Scope[];
  readonly rateLimit: RateLimit | null;
  readonly allowedIps: readonly string[];
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
}

export interface RateLimit {
  readonly limit: number;
  readonly windowMs: number;
}

/** An API key as it may be shown. */
export interface ApiKey extends Omit<NewApiKey, 'hash' | 'locator'> {
  readonly organizationId: string;
  readonly status: 'active' | 'expired' | 'revoked';
  readonly createdBy: { readonly type: string; readonly id: string };
  /** The user who answers for it; null where that is not known. */
  readonly ownerId: string | null;
  /** What it was rotated into. */
  readonly successorId: string | null;
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly revision: bigint;
}

/** What may be changed of a key; what is undefined stays. */
export type ApiKeyChange = {
  readonly [Field in 'name' | 'scopes' | 'rateLimit' | 'allowedIps' | 'expiresAt']?: NewApiKey[Field] | undefined;
};

export interface ApiKeyStore {
  /** `admit` looks at who does it, as they stand now, and throws where that must not be; so do those of the others. */
  readonly insert: (key: NewApiKey, admit: (doer: Doer) => void, actor: Actor) => Promise<ApiKey>;
  /**
   * `admit` looks at the key as it would be. A key that is revoked cannot be changed.
   * @throws Refusal `not_found`, `version_conflict`, `conflict`
   */
  readonly update: (
    id: string,
    ifMatch: number | undefined,
    change: ApiKeyChange,
    admit: (changed: ApiKey, doer: Doer) => void,
    actor: Actor,
  ) => Promise<ApiKey>;
  /**
   * Puts another key in the place of one that is active, once. The old one ends after the grace, and not later than it would have anyway.
   * @throws Refusal `not_found`, `version_conflict`, `conflict`
   */
  readonly rotate: (
    id: string,
    ifMatch: number | undefined,
    successor: Pick<NewApiKey, 'id' | 'locator' | 'prefix' | 'hash' | 'createdAt'>,
    graceSeconds: number,
    admit: (old: ApiKey, doer: Doer) => void,
    actor: Actor,
  ) => Promise<ApiKey>;
  /** @throws Refusal `not_found`, `version_conflict`. A key that is revoked already stays so. */
  readonly revoke: (id: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
  /** The key that a locator names, with its hash, whoever asks. */
  readonly findByLocator: (locator: string) => Promise<(ApiKey & { hash: string }) | undefined>;
  /** Says that a key is in use, at most every few seconds. */
  readonly touch: (organizationId: string, id: string) => Promise<void>;
}
