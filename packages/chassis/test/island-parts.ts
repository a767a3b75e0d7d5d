/** Parts of a service, on the servers of an island. */
import type { Island } from '@settler/harness';
import { onTestFinished } from 'vitest';
import { type Broker, createBroker } from '../src/broker.ts';
import { createLogger } from '../src/logger.ts';
import { createPostgres, type Postgres } from '../src/postgres.ts';
import type { ChassisTables } from '../src/tables.ts';

export const logger = createLogger('test', 'silent');

export const databaseOf = (island: Island): Postgres<ChassisTables> => {
  const app = island.databaseConfig('webhooks', 'app');
  const system = island.databaseConfig('webhooks', 'system');
  return createPostgres<ChassisTables>({
    host: String(app.host),
    port: Number(app.port),
    database: String(app.database),
    ssl: 'off',
    app: { user: String(app.user), password: String(app.password) },
    system: { user: String(system.user), password: String(system.password) },
    poolMax: 10,
    poolMin: 0,
    logger,
  });
};

export const brokerOf = (island: Island, service: 'executions' | 'jobs' | 'webhooks'): Broker =>
  createBroker({
    service,
    url: island.brokerUrl(service),
    logger,
    onLost: (error) => {
      throw error;
    },
  });

/** Ends with the test, however that ends: what is left running would take the next one's messages. */
export const stopped = <Part extends { stop: () => Promise<void> }>(part: Part): Part => {
  onTestFinished(part.stop);
  return part;
};
