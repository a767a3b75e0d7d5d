import { invalid, Refusal } from '@settler/chassis/refusal';
import { type Scope, scopesBeyond } from '@settler/contracts/scopes';
import type { ApiKeyText } from '../../domain/api-key-text.ts';
import type { Doer } from '../../domain/membership.ts';
import type { ApiKey, ApiKeyStore, RateLimit } from '../api-keys.ts';
import type { Actor } from '../ports.ts';

export interface CreateApiKeyInput {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly rateLimit: RateLimit | null;
  readonly expiresAt: Date | null;
  readonly allowedIps: readonly string[];
}

export interface CreateApiKeyNeeds {
  readonly keys: ApiKeyStore;
  readonly clock: () => Date;
  readonly newId: () => string;
  readonly newText: () => ApiKeyText;
  /** What is kept of a key. */
  readonly hash: (key: string) => Promise<string>;
}

/** What the creator may do a key may do, and no more. */
export const createApiKey =
  ({ keys, clock, newId, newText, hash }: CreateApiKeyNeeds) =>
  async (input: CreateApiKeyInput, actor: Actor): Promise<{ apiKey: ApiKey; key: string }> => {
    requireFuture(input.expiresAt, clock());
    const { key, locator, prefix } = newText();
    const made = { ...input, id: newId(), locator, prefix, hash: await hash(key), createdAt: clock() };
    const apiKey = await keys.insert(made, (doer) => requireScopes(doer, input.scopes), actor);
    return { apiKey, key };
  };

/** @throws Refusal `forbidden` where the doer cannot do all of it */
export const requireScopes = (doer: Doer, scopes: readonly Scope[]): void => {
  const [beyond] = scopesBeyond(doer.scopes, scopes);
  if (beyond === undefined) return;
  throw new Refusal('forbidden', `A key can do no more than whoever creates or changes it, and you do not have the scope ${beyond}.`, {
    requiredScope: beyond,
  });
};

/** @throws Refusal `validation_failed` */
export const requireFuture = (expiresAt: Date | null | undefined, now: Date): void => {
  if (expiresAt != null && expiresAt <= now) throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
};
