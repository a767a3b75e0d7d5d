import { createPrivateKey, type KeyObject } from 'node:crypto';
import { brokerSettings, databaseSettings, durationMs, encryptionKeys, secretKey, serviceSettings } from '@settler/chassis/config';
import { z } from 'zod';

const dayMs = 24 * 3600_000;
const modulusBitsMin = 2048;

/** An RSA private key as PEM, whose line ends may be written `\n`, or its DER in base64. */
const rsaPrivateKey = z.string().transform((text, context): KeyObject => {
  try {
    const key = text.includes('-----BEGIN')
      ? createPrivateKey(text.replaceAll('\\n', '\n'))
      : createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' });
    if (key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= modulusBitsMin) return key;
  } catch {
    // The message below is all there is to say: what OpenSSL adds could quote the key.
  }
  context.addIssue({
    code: 'custom',
    message: `must be an RSA private key of at least ${modulusBitsMin} bits, PEM or PKCS8 DER in base64`,
  });
  return z.NEVER;
});

export const config = z.object({
  ...serviceSettings,
  ...databaseSettings,
  ...brokerSettings,
  PUBLIC_URL: z.url().optional().describe('Where clients reach this installation; the issuer of access tokens.'),
  IDENTITY_SECRET: secretKey('32 bytes in base64').describe(
    'The keys of the audit chain, the refresh tokens and the login counters derive from it.',
  ),
  API_KEY_SECRET: secretKey('32 bytes in base64').describe('Makes and checks API keys; the gateway has the same.'),
  ENCRYPTION_KEY: encryptionKeys.describe('Encrypts the private signing keys; the first key encrypts, all of them decrypt.'),
  JWT_PRIVATE_KEY: rsaPrivateKey.optional().describe('Signs access tokens in place of the keys that identity makes itself.'),
  SIGNING_KEY_ROTATION_MS: durationMs(30 * dayMs, 'How long a signing key that identity made itself is used.'),
  REFRESH_LIFETIME_MS: durationMs(7 * dayMs, 'How long a session lasts at most, however often it is refreshed.'),
  SMTP_URL: z
    .url({ protocol: /^smtps?$/, error: 'must be an address such as smtps://user:password@mail.example.com' })
    .optional()
    .describe('The mail server. Without one, mails are printed to stdout, tokens included: for development alone.'),
  MAIL_FROM: z.string().min(3).max(320).default('Settler <settler@localhost>').describe('Whom mails are from.'),
  MAIL_RETRY_MS: durationMs(5_000, 'How long the first retry of a mail waits; each further one twice as long, up to an hour.'),
  DENIED_LOGINS_AUDIT_MS: durationMs(
    60_000,
    'How long failed logins of an account are counted before the audit trail has them as one entry.',
  ),
  ERASURE_RETRY_MS: durationMs(
    30_000,
    'How long an erasure waits for the other services before it asks again; each further time twice as long, up to an hour.',
  ),
  REFRESH_GRACE_MS: durationMs(10_000, 'How long a refresh token that was replaced still gives the same successor.'),
});
export type Config = z.output<typeof config>;
