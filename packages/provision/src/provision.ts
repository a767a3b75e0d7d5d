/** Prepares what the services need before any of them starts. May be run again at any time, and is, by every release. */
import { join, resolve } from 'node:path';
import type { Logger } from '@settler/chassis/logger';
import { provisionBroker, provisionDatabase } from '@settler/chassis/provision';
import { statefulServices } from '@settler/contracts/services';
import { type ProvisionConfig, passwordName } from './config.ts';

export const provision = async (config: ProvisionConfig, logger: Logger): Promise<void> => {
  const admin = {
    host: config.DB_HOST,
    port: config.DB_PORT,
    user: config.DB_USER,
    password: config.DB_PASSWORD,
    database: config.DB_ADMIN_DATABASE,
    tls: config.DB_SSL,
  };
  // Streams and consumers first: they refuse what they cannot keep, and then no table has been changed yet.
  await provisionBroker({ servers: config.NATS_URL, replicas: config.NATS_REPLICAS });
  logger.info('streams and consumers are as this release wants them');
  for (const service of statefulServices) {
    await provisionDatabase({
      service,
      migrations: resolve(join(config.MIGRATIONS_DIR, service, 'migrations')),
      admin,
      name: config.DB_NAME,
      passwords: { app: config[passwordName(service, 'app')], system: config[passwordName(service, 'system')] },
    });
    logger.info({ database: service }, 'the database is as this release wants it');
  }
};
