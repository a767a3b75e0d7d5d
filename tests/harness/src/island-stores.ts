/** The island's part of the run's PostgreSQL and nats-server: its number, how to connect, how to clean up. */
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { brokerServers } from '@settler/chassis/broker';
import { databaseName, databaseRoles } from '@settler/chassis/provision';
import type { StatefulService } from '@settler/contracts/services';
import { type ConsumerDefinition, consumers } from '@settler/contracts/streams';
import pg from 'pg';
import { islandSequence, type ServerAddresses } from './servers/addresses.ts';

/** `owner` owns the tables and obeys no policy; `app` and `system` are the service's own; `admin` is the server's superuser. */
export type DatabaseUser = 'owner' | 'app' | 'system' | 'admin';

const asAdmin = async <Result>(servers: ServerAddresses, work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client({ ...servers.postgres, database: 'postgres' });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** A number that no other test file of this run has, from 0 upwards. */
export const takeNumber = (servers: ServerAddresses): Promise<number> =>
  asAdmin(servers, async (client) => {
    const { rows } = await client.query<{ number: string }>('select nextval($1) as number', [islandSequence]);
    return Number(rows[0]?.number);
  });

export const databaseConfigOf = (
  servers: ServerAddresses,
  prefix: string,
  service: StatefulService,
  user: DatabaseUser,
): pg.ClientConfig => {
  const { host, port, user: superuser, password } = servers.postgres;
  const roles = databaseRoles(prefix, service);
  const at = { host, port, database: databaseName(prefix, service) };
  switch (user) {
    case 'app':
    case 'system':
      return { ...at, user: roles[user], password: servers.secrets.passwords[service][user] };
    case 'owner':
      // Nobody can log in as the owner, so the superuser becomes it.
      return { ...at, user: superuser, password, options: `-c role=${roles.owner}` };
    case 'admin':
      return { ...at, user: superuser, password };
    default:
      return user satisfies never;
  }
};

export const dropDatabases = (servers: ServerAddresses, prefix: string, services: readonly StatefulService[]): Promise<void> =>
  asAdmin(servers, async (client) => {
    for (const service of services) {
      await client.query(`drop database if exists ${databaseName(prefix, service)} with (force)`);
      for (const role of Object.values(databaseRoles(prefix, service))) await client.query(`drop role if exists ${role}`);
    }
  });

const withStreams = async <Result>(adminUrl: string, work: (manager: JetStreamManager) => Promise<Result>): Promise<Result> => {
  const connection = await connect({ ...brokerServers(adminUrl), name: 'settler-harness', timeout: 5_000 });
  try {
    return await work(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
};

/** Removes every stream of the account, and with them their consumers. */
export const clearAccount = (adminUrl: string): Promise<void> =>
  withStreams(adminUrl, async (manager) => {
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    await Promise.all(names.map((name) => manager.streams.delete(name)));
  });

/** Whether every message that was published has been handled. */
export const isHandled = (adminUrl: string): Promise<boolean> =>
  withStreams(adminUrl, async (manager) => {
    const states = await Promise.all(
      Object.values<ConsumerDefinition>(consumers).map(({ stream, durable }) => manager.consumers.info(stream, durable)),
    );
    return states.every(({ num_pending: waiting, num_ack_pending: begun }) => waiting + begun === 0);
  });

/** Whether everything that was to be published has been. */
export const isPublished = async (database: pg.ClientConfig): Promise<boolean> => {
  const client = new pg.Client(database);
  await client.connect();
  try {
    return (await client.query('select 1 from outbox limit 1')).rows.length === 0;
  } finally {
    await client.end();
  }
};
