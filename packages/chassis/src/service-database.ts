/** The database of a service, as its settings name it: for the service itself, and for what an operator runs beside it. */
import type { StatefulService } from '@settler/contracts/services';
import type { z } from 'zod';
import type { databaseSettings } from './config.ts';
import type { Logger } from './logger.ts';
import { createPostgres, type Postgres } from './postgres.ts';
import { databaseName, databaseRoles } from './provision.ts';

type DatabaseConfig = z.output<z.ZodObject<typeof databaseSettings>>;

export const openServiceDatabase = <DB>(service: StatefulService, config: DatabaseConfig, logger: Logger): Postgres<DB> => {
  const roles = databaseRoles(config.DB_NAME, service);
  return createPostgres<DB>({
    host: config.DB_HOST,
    port: config.DB_PORT,
    database: databaseName(config.DB_NAME, service),
    ssl: config.DB_SSL,
    app: { user: roles.app, password: config.DB_APP_PASSWORD },
    system: { user: roles.system, password: config.DB_SYSTEM_PASSWORD },
    poolMax: config.DB_POOL_MAX,
    poolMin: config.DB_POOL_MIN,
    logger,
  });
};
