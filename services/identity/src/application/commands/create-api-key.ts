import { invalid, Refusal } from '@settler/chassis/refusal';
import { type Scope, scopesBeyond } from '@settler/contracts/scopes';
import type { ApiKeyText } from '../../domain/api-key-text.ts';
import type { Actor, ApiKey, ApiKeyStore, RateLimit } from '../ports.ts';

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
export const createApiKey = ({ keys, clock, newId, newText, hash }: CreateApiKeyNeeds) => {
  const admit = ({ scopes, expiresAt }: CreateApiKeyInput, actor: Actor): void => {
    const [beyond] = scopesBeyond(actor.principal.scopes, scopes);
    if (beyond !== undefined)
      throw new Refusal('forbidden', `A key can do no more than its creator, who does not have the scope ${beyond}.`, {
        requiredScope: beyond,
      });
    if (expiresAt !== null && expiresAt <= clock()) throw invalid([{ path: 'expiresAt', message: 'must be in the future' }]);
  };

  return async (input: CreateApiKeyInput, actor: Actor): Promise<{ apiKey: ApiKey; key: string }> => {
    admit(input, actor);
    const { key, locator, prefix } = newText();
    const apiKey = await keys.insert({ ...input, id: newId(), locator, prefix, hash: await hash(key), createdAt: clock() }, actor);
    return { apiKey, key };
  };
};
