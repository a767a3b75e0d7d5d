/** What services keep, read and changed behind their backs, as their servers' administrator. */
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import type { DatabaseUser, Island } from '@settler/harness';
import pg from 'pg';

// biome-ignore lint/suspicious/noExplicitAny: tests read rows of many shapes, and each asserts the one it expects.
type Row = any;

export interface Databases {
  readonly rows: (service: StatefulService, statement: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** On one connection, which is closed afterwards whatever it was left in. */
  readonly as: <Result>(service: StatefulService, user: DatabaseUser, work: (database: pg.Client) => Promise<Result>) => Promise<Result>;
  readonly close: () => Promise<void>;
}

export const openDatabases = async (island: Island): Promise<Databases> => {
  const connect = async (service: StatefulService, user: DatabaseUser): Promise<pg.Client> => {
    const database = new pg.Client(island.databaseConfig(service, user));
    await database.connect();
    return database;
  };
  const opened = await Promise.all(statefulServices.map(async (service) => [service, await connect(service, 'admin')] as const));
  const administered = new Map(opened);
  return {
    rows: async (service, statement, values = []) => {
      const found = await administered.get(service)?.query(statement, [...values]);
      return found?.rows ?? [];
    },
    as: async (service, user, work) => {
      const database = await connect(service, user);
      try {
        return await work(database);
      } finally {
        await database.end();
      }
    },
    close: async () => {
      await Promise.all([...administered.values()].map((database) => database.end()));
    },
  };
};
