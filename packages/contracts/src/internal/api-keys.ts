/** How the gateway asks identity about a credential it has not seen, and what identity answers. */
import { z } from 'zod';
import { apiKeyId, organizationId } from '../ids.ts';

export const verifyApiKeyBody = z.strictObject({ key: z.string().max(200) });

export const apiKeyVerdict = z.discriminatedUnion('valid', [
  z.object({ valid: z.literal(false) }),
  z.object({
    valid: z.literal(true),
    apiKeyId,
    organizationId,
    scopes: z.array(z.string()),
    rateLimit: z.object({ limit: z.number().int(), windowMs: z.number().int() }).nullable(),
    expiresAt: z.iso.datetime().nullable(),
    allowedIps: z.array(z.string()),
  }),
]);
export type ApiKeyVerdict = z.infer<typeof apiKeyVerdict>;

/** Everything that stopped counting after a revision, in commit order. `all` says that the asker is too far behind: forget everything. */
export const revocationsAnswer = z.object({
  revision: z.number().int().nonnegative(),
  all: z.boolean(),
  revoked: z.array(z.object({ kind: z.enum(['apiKey', 'session', 'user']), id: z.string() })),
});
export type RevocationsAnswer = z.infer<typeof revocationsAnswer>;
