/** How the gateway asks identity about a credential, and what identity answers. Only the gateway may ask. */
import { z } from 'zod';
import { apiKeyId, idOf, organizationId, userId } from '../ids.ts';

/** `POST /internal/api-keys/verify` */
export const verifyApiKeyBody = z.strictObject({ key: z.string().max(200) });

/**
 * How long a verdict may be kept. Every question also says that the key is in use, so that `lastUsedAt` can be at most
 * a minute old although the gateway answers most requests from what it keeps.
 */
export const apiKeyVerdictMsMax = 30_000;

export const apiKeyVerdict = z.discriminatedUnion('valid', [
  z.object({ valid: z.literal(false) }),
  z.object({
    valid: z.literal(true),
    apiKeyId,
    organizationId,
    scopes: z.array(z.string()),
    rateLimit: z.object({ limit: z.number().int(), windowMs: z.number().int() }).nullable(),
    expiresAt: z.iso.datetime().nullable(),
    /** Addresses and CIDR ranges, v4 and v6; empty allows every address. */
    allowedIps: z.array(z.string()),
    /** The user who answers for it; null where that is not known. */
    ownerId: userId.nullable().default(null),
  }),
]);
export type ApiKeyVerdict = z.infer<typeof apiKeyVerdict>;

/** `signedBy`: the key of the token, which does not count either where that one was withdrawn. */
export const sessionStateQuery = z.strictObject({ signedBy: z.string().max(100).optional() });

/**
 * `GET /internal/sessions/{id}`: whether the session behind an access token (`sid`) still counts. Only for the time in which
 * revocations cannot be followed; otherwise a token counts until its session is in a `revocationsAnswer`, or the key that signed it.
 */
export const sessionState = z.object({ sessionId: idOf('session'), active: z.boolean() });
export type SessionState = z.infer<typeof sessionState>;

/** The most that one answer lists; an answer that is this long has a successor, to be asked for at once. */
export const revocationsMax = 1_000;

/**
 * `GET /internal/revocations?after=N`: everything that stopped counting after revision N, in commit order; `revision` is the N of
 * the next question. `all` says that the asker has missed something: forget every kept verdict; what still has to be known of
 * the past is in `revoked`. Asking from 0 gives everything that an access token may still depend on.
 */
export const revocationsAnswer = z.object({
  revision: z.number().int().nonnegative(),
  all: z.boolean(),
  revoked: z
    .array(
      z.object({
        kind: z.enum(['apiKey', 'session', 'user', 'signingKey']),
        id: z.string(),
        /** When what is open with it ends: at once where absent; null where it goes on, and what was known of it is no longer true. */
        endsAt: z.iso.datetime().nullable().optional(),
      }),
    )
    .max(revocationsMax),
});
export type RevocationsAnswer = z.infer<typeof revocationsAnswer>;
export type RevocationKind = RevocationsAnswer['revoked'][number]['kind'];
