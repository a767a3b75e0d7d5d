/** What `npm start` is told by the environment. */
import { encryptionKeys, loadConfig, serviceSettings, wholeNumber } from '@settler/chassis/config';
import { statefulServices } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import { z } from 'zod';
import { config as executions } from '../../services/executions/src/config.ts';
import { config as gateway } from '../../services/gateway/src/config.ts';
import { config as identity } from '../../services/identity/src/config.ts';
import { config as webhooks } from '../../services/webhooks/src/config.ts';

/** What a service will make of it is the service's affair; whether it will take it is told before anything is started. */
const asItIs = (schema: z.ZodType) =>
  z.string().superRefine((text, context) => {
    for (const { message } of schema.safeParse(text).error?.issues ?? []) context.addIssue({ code: 'custom', message });
  });

export const startSettings = z.object({
  PORT: wholeNumber(0, 65_535).default(3000).describe('The port of the gateway; 0: any free one.'),
  SETTLER_DATA_DIR: z.string().default('.settler').describe('Where everything is kept, relative to the checkout.'),
  SETTLER_DEMO: z.enum(['0', '1']).default('1').describe('0 skips the demo.'),
  DB_HOST: z.string().optional().describe('A PostgreSQL of yours, in place of the embedded one.'),
  DB_PORT: wholeNumber(1, 65_535).default(5432).describe('Its port.'),
  DB_USER: z.string().default('postgres').describe('Its user, who must be able to create roles and databases.'),
  DB_PASSWORD: z.string().default('').describe('The password of that user.'),
  DB_NAME: z
    .string()
    .regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be lower-case letters, digits and underscores')
    .default('settler')
    .describe('The prefix of the databases and roles, in the embedded PostgreSQL as in yours.'),
  NATS_URL: z.string().optional().describe('A nats-server of yours with JetStream, in place of the embedded one.'),
  ENCRYPTION_KEY: asItIs(encryptionKeys).optional().describe('In place of the one that was generated into the data directory.'),
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
  'CORS_ORIGINS',
  'PUBLIC_URL',
  'ADDRESS_GUARD_ALLOW',
  'SMTP_URL',
  'MAIL_FROM',
  'WORKER_SLOTS',
  'WORKER_MEMORY_MB',
  'NODE_EXTRA_CA_CERTS',
] as const;

/** What `npm start` itself makes nothing of. */
export const onlyPassedOnNames = passedOnNames.filter((name) => !(name in startSettings.shape));

/** What is passed on where the environment says nothing and the services' own default is for more than one machine. */
export const startDefaults: Environment = {
  // What a user of one machine wants to reconcile is often on it. Settler's own ports stay closed all the same.
  ADDRESS_GUARD_ALLOW: '127.0.0.0/8,::1/128',
};

const ofServices: Readonly<Record<string, z.ZodType>> = {
  ...webhooks.shape,
  ...executions.shape,
  ...identity.shape,
  ...gateway.shape,
};

/** @throws ConfigurationError with one line per fault, of what is passed on too. */
export const readSettings = (environment: NodeJS.ProcessEnv): Settings => {
  const passedOn = pick(environment, passedOnNames);
  const checked = Object.keys(passedOn).flatMap((name) => {
    const schema = ofServices[name];
    return schema === undefined || name in startSettings.shape ? [] : [[name, asItIs(schema)] as const];
  });
  const schema = startSettings.extend(Object.fromEntries(checked)) as unknown as typeof startSettings;
  const settings = loadConfig(schema, environment);
  const brokerUrlNames = statefulServices.map((service) => `NATS_${service.toUpperCase()}_URL`);
  return { ...settings, passedOn, brokerUrls: pick(environment, brokerUrlNames) };
};

/** Empty counts as absent, as everywhere. */
const pick = (environment: NodeJS.ProcessEnv, names: readonly string[]): Environment =>
  Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
