/** What the two programs of this package are told by the environment. */
import { brokerSettings, databaseSettings, durationMs, serviceSettings } from '@settler/chassis/config';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { z } from 'zod';

type PasswordName = `${Uppercase<StatefulService>}_DB_${'APP' | 'SYSTEM'}_PASSWORD`;

export const passwordName = (service: StatefulService, role: 'app' | 'system'): PasswordName =>
  `${service.toUpperCase() as Uppercase<StatefulService>}_DB_${role.toUpperCase() as 'APP' | 'SYSTEM'}_PASSWORD`;

const passwordSettings = Object.fromEntries(
  statefulServices.flatMap((service) =>
    (['app', 'system'] as const).map((role) => [
      passwordName(service, role),
      z
        .string({ error: `is required: the password that ${service} logs in with as its _${role} role` })
        .describe(`What the _${role} role of ${service} gets as its password.`),
    ]),
  ),
) as Record<PasswordName, z.ZodString>;

const { DB_HOST, DB_PORT, DB_NAME, DB_SSL, DB_SYSTEM_PASSWORD } = databaseSettings;

const placeSettings = {
  LOG_LEVEL: serviceSettings.LOG_LEVEL,
  DB_HOST,
  DB_PORT,
  DB_NAME,
  DB_SSL,
  MIGRATIONS_DIR: z.string().default('services').describe('The folder that has <service>/migrations, relative to where the process runs.'),
} as const;

export const provisionConfig = z.object({
  ...placeSettings,
  ...passwordSettings,
  DB_USER: z.string().default('postgres').describe('Must be able to create roles and databases.'),
  DB_PASSWORD: z.string({ error: 'is required: the password of DB_USER' }).describe('The password of that role.'),
  DB_ADMIN_DATABASE: z.string().default('postgres').describe('A database that is there already, to create the others from.'),
  NATS_URL: brokerSettings.NATS_URL.describe('The broker, with credentials that may administer JetStream.'),
  NATS_REPLICAS: z.coerce
    .number()
    .pipe(z.union([z.literal(1), z.literal(3), z.literal(5)], { error: 'must be 1, 3 or 5' }))
    .default(1)
    .describe('On how many servers of a NATS cluster each stream is kept.'),
});
export type ProvisionConfig = z.output<typeof provisionConfig>;

export const waitConfig = z.object({
  ...placeSettings,
  SERVICE: z
    .enum(statefulServices, { error: `is required: one of ${statefulServices.join(', ')}` })
    .describe('Whose tables are waited for.'),
  DB_SYSTEM_PASSWORD,
  WAIT_MS: durationMs(300_000, 'How long to wait before giving up.'),
});
export type WaitConfig = z.output<typeof waitConfig>;
