/** Parts of a service, on the servers of an island. */
import { createIsland, type Island } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
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

/** A database on an island of its own, there while the tests of a `describe` run. */
export const databaseForTests = (): {
  readonly postgres: Postgres<ChassisTables>;
  readonly migrate: (statement: string) => Promise<void>;
} => {
  let island: Island;
  const server = {
    migrate: async (statement: string) => {
      const owner = new pg.Client(island.databaseConfig('webhooks', 'owner'));
      await owner.connect();
      await owner.query(statement).finally(() => owner.end());
    },
  } as { postgres: Postgres<ChassisTables>; migrate: (statement: string) => Promise<void> };
  beforeAll(async () => {
    island = await createIsland();
    await island.provision('webhooks');
    server.postgres = databaseOf(island);
  });
  afterAll(async () => {
    await server.postgres.close();
    await island.dispose();
  });
  return server;
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
