/** What `npm start` is told by the environment. */
import { loadConfig, serviceSettings } from '@settler/chassis/config';
import { statefulServices } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import { z } from 'zod';

const schema = z.object({
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000).describe('The port of the gateway; 0: any free one.'),
  SETTLER_DATA_DIR: z.string().default('.settler').describe('Where everything is kept, relative to the checkout.'),
  SETTLER_DEMO: z.enum(['0', '1']).default('1').describe('0 skips the demo.'),
  DB_HOST: z.string().optional().describe('A PostgreSQL of yours, in place of the embedded one.'),
  DB_PORT: z.coerce.number().int().min(1).max(65_535).default(5432),
  DB_USER: z.string().default('postgres').describe('Must be able to create roles and databases.'),
  DB_PASSWORD: z.string().default(''),
  DB_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and underscores')
    .default('settler'),
  NATS_URL: z.string().optional().describe('A nats-server of yours with JetStream, in place of the embedded one.'),
  ENCRYPTION_KEY: z.string().optional().describe('In place of the one that was generated into the data directory.'),
  LOG_LEVEL: serviceSettings.LOG_LEVEL,
});

export type Settings = z.output<typeof schema> & {
  /** For every service, as it is: what they themselves check. */
  readonly passedOn: Environment;
  /** `NATS_<SERVICE>_URL`: credentials of each service for a server of yours. */
  readonly brokerUrls: Environment;
};

const passedOnNames = [
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
  'SMTP_URL',
  'ADDRESS_GUARD_ALLOW',
  'NODE_EXTRA_CA_CERTS',
];

/** @throws ConfigurationError with one line per fault. */
export const readSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const settings = loadConfig(schema, environment);
  const brokerUrlNames = statefulServices.map((service) => `NATS_${service.toUpperCase()}_URL`);
  return { ...settings, passedOn: pick(environment, passedOnNames), brokerUrls: pick(environment, brokerUrlNames) };
};

/** Empty counts as absent, as everywhere. */
const pick = (environment: NodeJS.ProcessEnv, names: readonly string[]): Environment =>
  Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
