/** Settings come from the environment, through one schema. A missing or malformed one stops the process with a list of all of them. */
import type { KeyObject } from 'node:crypto';
import { services } from '@settler/contracts/services';
import { z } from 'zod';
import { privateKeyOf, publicKeyOf } from './internal-keys.ts';

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads the settings that `schema` names. Empty values count as absent, so that compose files can pass on what is not set.
 * @throws ConfigurationError with one line per fault; values are never printed, they may be secrets.
 */
export const loadConfig = <Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>, environment: NodeJS.ProcessEnv) => {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(present);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => `  ${String(issue.path[0])}: ${issue.message}`);
  throw new ConfigurationError(`These settings are missing or malformed:\n${[...new Set(faults)].join('\n')}`);
};

const required = (what: string) => z.string({ error: `is required: ${what}` });

export const wholeNumber = (minimum: number, maximum: number) => {
  const error = `must be a whole number from ${minimum} to ${maximum}`;
  return z.coerce.number({ error }).int({ error }).min(minimum, { error }).max(maximum, { error });
};

/** An interval or deadline in milliseconds, with its default: a setting, so that tests can use short ones. */
export const durationMs = (defaultMs: number, description: string) =>
  wholeNumber(1, 30 * 24 * 3600_000)
    .default(defaultMs)
    .describe(description);

export const keyBytes = (text: string, length: number): Buffer | null => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === length && bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '') ? bytes : null;
};

/** A 32-byte secret in base64. */
export const secretKey = (what: string) =>
  required(what).transform((text, context) => {
    const bytes = keyBytes(text, 32);
    if (bytes !== null) return bytes;
    context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64' });
    return z.NEVER;
  });

export interface EncryptionKey {
  readonly id: string;
  readonly key: Buffer;
}

/** Bare base64, or `id:base64,id:base64`: the first encrypts, all of them decrypt. */
export const encryptionKeys = required('32 bytes in base64, or id:base64 pairs; the first encrypts').transform(
  (text, context): readonly EncryptionKey[] => {
    const keys: EncryptionKey[] = [];
    for (const part of text.split(',')) {
      const [id, encoded] = part.includes(':') ? (part.split(':', 2) as [string, string]) : ['1', part];
      const key = keyBytes(encoded, 32);
      if (key === null || !/^[A-Za-z0-9_-]{1,32}$/.test(id) || keys.some((other) => other.id === id)) {
        context.addIssue({ code: 'custom', message: 'must be 32 bytes in base64, or a comma list of id:base64 with distinct ids' });
        return z.NEVER;
      }
      keys.push({ id, key });
    }
    return keys;
  },
);

const isKey = (read: () => KeyObject): boolean => {
  try {
    return read().asymmetricKeyType === 'ed25519';
  } catch {
    return false;
  }
};

/** Settings of every service. */
export const serviceSettings = {
  HOST: z.string().default('127.0.0.1').describe('The address to listen on.'),
  PORT: wholeNumber(0, 65_535).default(3000).describe('The port to listen on.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('The least severe level logged.'),
  OTLP_ENDPOINT: z.url().optional().describe('Where traces go (OTLP over HTTP); absent: nowhere.'),
  DRAIN_TIMEOUT_MS: durationMs(8_000, 'How long a stopping process waits for what it is doing.'),
  SERVICE_SIGNING_KEY: required('the Ed25519 private key of this service, PKCS8 DER in base64')
    .refine((text) => isKey(() => privateKeyOf(text)), 'must be an Ed25519 private key, PKCS8 DER in base64')
    .describe('Signs the calls this service makes to others.'),
  SERVICE_PUBLIC_KEYS: required('name:base64 pairs, the Ed25519 public keys (SPKI DER) of all services')
    .transform((text, context) => {
      const keys = Object.fromEntries(text.split(',').map((pair) => pair.split(':', 2) as [string, string]));
      const missing = services.filter((name) => !keys[name]);
      if (missing.length > 0) context.addIssue({ code: 'custom', message: `lacks ${missing.join(', ')}` });
      const bad = services.filter((name) => keys[name] && !isKey(() => publicKeyOf(keys[name] as string)));
      if (bad.length > 0)
        context.addIssue({ code: 'custom', message: `must have Ed25519 public keys, SPKI DER in base64; not so: ${bad.join(', ')}` });
      return keys;
    })
    .describe('The public keys that internal calls are verified with.'),
} as const;

/** Settings of a service that owns a database. */
export const databaseSettings = {
  DB_HOST: required('the address of PostgreSQL').describe('The address of PostgreSQL.'),
  DB_PORT: wholeNumber(1, 65_535).default(5432).describe('The port of PostgreSQL.'),
  DB_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/)
    .default('settler')
    .describe('The prefix of the databases and roles: settler_jobs, settler_jobs_app.'),
  DB_APP_PASSWORD: required('the password of the _app role').describe(
    'Password of the role that request handlers use; policies apply to it.',
  ),
  DB_SYSTEM_PASSWORD: required('the password of the _system role').describe('Password of the role of relay, claims and sweepers.'),
  DB_SSL: z.enum(['off', 'require', 'verify']).default('off').describe('TLS to PostgreSQL.'),
  DB_POOL_MAX: wholeNumber(8, 200).default(20).describe('The most connections of this process.'),
  DB_POOL_MIN: wholeNumber(0, 50).default(5).describe('Connections kept open when idle.'),
} as const;

/** Settings of a service that speaks to the broker. `NATS_<SERVICE>_URL` wins over `NATS_URL`. */
export const brokerSettings = {
  NATS_URL: required('nats://user:password@host:port').describe(
    'The broker; NATS_<SERVICE>_URL, where set, takes its place for that service.',
  ),
  CONSUMER_ATTEMPTS_MAX: wholeNumber(1, 100).default(8).describe('How often a message is tried before it becomes a dead letter.'),
  CONSUMER_RETRY_MS: durationMs(1_000, 'The first delay between two tries of a message; doubles, with jitter, up to five minutes.'),
  RELAY_LEASE_MS: durationMs(10_000, 'How long a relay that went silent keeps others from taking over.'),
  RELAY_POLL_MS: durationMs(1_000, 'How often the relay looks for outbox rows when nothing wakes it.'),
} as const;

/** The environment as `service` sees it: its own broker credentials in place of the common ones. */
export const environmentOf = (service: string, environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...environment,
  NATS_URL: environment[`NATS_${service.toUpperCase()}_URL`] || environment['NATS_URL'],
});
