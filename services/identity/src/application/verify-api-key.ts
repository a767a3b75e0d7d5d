/** Whether a text is a key that counts now, for the gateway. */
import type { ApiKeyVerdict } from '@settler/contracts/internal/api-keys';
import type { ApiKeyText } from '../domain/api-key-text.ts';
import type { ApiKey, ApiKeyStore } from './api-keys.ts';

export interface VerifyApiKeyNeeds {
  readonly keys: ApiKeyStore;
  readonly read: (text: string) => ApiKeyText | undefined;
  readonly matches: (key: string, hash: string) => Promise<boolean>;
}

const refused = { valid: false } as const;

/** The row is read each time; what is slow about it, the hash, is `matches`' business to remember. */
export const verifyApiKey =
  ({ keys, read, matches }: VerifyApiKeyNeeds) =>
  async (text: string): Promise<ApiKeyVerdict> => {
    const shown = read(text);
    if (shown === undefined) return refused;
    const found = await keys.findByLocator(shown.locator);
    if (found === undefined || found.status !== 'active') return refused;
    if (!(await matches(shown.key, found.hash))) return refused;
    await keys.touch(found.organizationId, found.id);
    return verdictOf(found);
  };

const verdictOf = ({ id, organizationId, scopes, rateLimit, expiresAt, allowedIps, ownerId }: ApiKey): ApiKeyVerdict => ({
  valid: true,
  apiKeyId: id,
  organizationId,
  scopes: [...scopes],
  rateLimit,
  expiresAt: expiresAt?.toISOString() ?? null,
  allowedIps: [...allowedIps],
  ownerId,
});
