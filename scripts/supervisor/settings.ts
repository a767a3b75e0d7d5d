/** What `npm start` is told by the environment. */
import { loadConfig, serviceSettings } from '@settler/chassis/config';
import { statefulServices } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import { z } from 'zod';

export const startSettings = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000).describe('The port of the gateway; 0: any free one.'),
  SETTLER_DATA_DIR: z.string().default('.settler').describe('Where everything is kept, relative to the checkout.'),
  SETTLER_DEMO: z.enum(['0', '1']).default('1').describe('0 skips the demo.'),
  DB_HOST: z.string().optional().describe('A PostgreSQL of yours, in place of the embedded one.'),
  DB_PORT: z.coerce.number().int().min(1).max(65_535).default(5432).describe('Its port.'),
  DB_USER: z.string().default('postgres').describe('Its user, who must be able to create roles and databases.'),
  DB_PASSWORD: z.string().default('').describe('The password of that user.'),
  DB_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and underscores')
    .default('settler')
    .describe('The prefix of the databases and roles, in the embedded PostgreSQL as in yours.'),
  NATS_URL: z.string().optional().describe('A nats-server of yours with JetStream, in place of the embedded one.'),
  ENCRYPTION_KEY: z.string().optional().describe('In place of the one that was generated into the data directory.'),
  LOG_LEVEL: serviceSettings.LOG_LEVEL,
});

export type Settings = z.output<typeof startSettings> & {
  /** For every service, as it is: what they themselves check. */
  readonly passedOn: Environment;
  /** `NATS_<SERVICE>_URL`: credentials of each service for a server of yours. */
  readonly brokerUrls: Environment;
};

export const passedOnNames = [
  'DB_SSL',
  'DB_POOL_MAX',
  'DB_POOL_MIN',
  'REDIS_URL',
  'LOG_LEVEL',
  'OTLP_ENDPOINT',
  'RATE_LIMIT_DEFAULT',
  'RATE_LIMIT_WINDOW_MS',
  'TRUSTED_PROXIES',
  'PUBLIC_URL',
  'ADDRESS_GUARD_ALLOW',
  'SMTP_URL',
  'MAIL_FROM',
  'NODE_EXTRA_CA_CERTS',
] as const;

/** What is passed on where the environment says nothing and the services' own default is for more than one machine. */
export const startDefaults: Environment = {
  // What a user of one machine wants to reconcile is often on it. Settler's own ports stay closed all the same.
  ADDRESS_GUARD_ALLOW: '127.0.0.0/8,::1/128',
};

/** @throws ConfigurationError with one line per fault. */
export const readSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const settings = loadConfig(startSettings, environment);
  const brokerUrlNames = statefulServices.map((service) => `NATS_${service.toUpperCase()}_URL`);
  return { ...settings, passedOn: pick(environment, passedOnNames), brokerUrls: pick(environment, brokerUrlNames) };
};

/** Empty counts as absent, as everywhere. */
const pick = (environment: NodeJS.ProcessEnv, names: readonly string[]): Environment =>
  Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
