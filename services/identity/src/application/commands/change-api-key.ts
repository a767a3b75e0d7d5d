import type { ApiKey, ApiKeyChange, ApiKeyStore } from '../api-keys.ts';
import type { Actor } from '../ports.ts';
import { requireFuture, requireScopes } from './create-api-key.ts';

export interface ChangeApiKeyNeeds {
  readonly keys: ApiKeyStore;
  readonly clock: () => Date;
}

/** Whoever changes a key must be able to do all that it can afterwards: else a longer life or another address would be a way to more. */
export const changeApiKey =
  ({ keys, clock }: ChangeApiKeyNeeds) =>
  (id: string, ifMatch: number | undefined, change: ApiKeyChange, actor: Actor): Promise<ApiKey> => {
    requireFuture(change.expiresAt, clock());
    return keys.update(id, ifMatch, change, ({ scopes }, doer) => requireScopes(doer, scopes), actor);
  };
