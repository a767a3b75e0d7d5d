import type { ApiKey } from '../api-keys.ts';
import type { Actor } from '../ports.ts';
import { type CreateApiKeyNeeds, requireScopes } from './create-api-key.ts';

/** A new key that can do what the old one can, for whoever can do that too. Both count during the grace. */
export const rotateApiKey =
  ({ keys, clock, newId, newText, hash }: CreateApiKeyNeeds) =>
  async (id: string, ifMatch: number | undefined, graceSeconds: number, actor: Actor): Promise<{ apiKey: ApiKey; key: string }> => {
    const { key, locator, prefix } = newText();
    const successor = { id: newId(), locator, prefix, hash: await hash(key), createdAt: clock() };
    const apiKey = await keys.rotate(id, ifMatch, successor, graceSeconds, ({ scopes }, doer) => requireScopes(doer, scopes), actor);
    return { apiKey, key };
  };
