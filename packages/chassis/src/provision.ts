/**
 * Makes what the services need before any of them starts: roles, databases, tables, streams and consumers. Every step may be
 * run again. Services never do this themselves: replicas that create the same consumer at once can destroy its state.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AckPolicy, DeliverPolicy, DiscardPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { StatefulService } from '@settler/contracts/services';
import { type ConsumerDefinition, consumers, type StreamDefinition, streams } from '@settler/contracts/streams';
import { CompiledQuery, Kysely, PostgresDialect, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import pg from 'pg';
import { brokerServers } from './broker.ts';
import { type DatabaseTls, tlsOptions } from './postgres.ts';
import { chassisMigrations } from './schema.ts';

export interface DatabaseProvision {
  readonly service: StatefulService;
  /** The folder that holds the service's numbered migrations. */
  readonly migrations: string;
  readonly admin: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly database: string;
    /** Off unless said. */
    readonly tls?: DatabaseTls;
  };
  /** The prefix: `settler` makes the database settler_jobs and the roles settler_jobs_owner, _app and _system. */
  readonly name: string;
  readonly passwords: { readonly app: string; readonly system: string };
  /** Where roles are named otherwise than after the database, because several databases share them. */
  readonly roles?: DatabaseRoles;
}

export interface DatabaseRoles {
  readonly owner: string;
  readonly app: string;
  readonly system: string;
}

export const databaseName = (name: string, service: StatefulService): string => `${name}_${service}`;
export const databaseRoles = (name: string, service: StatefulService): DatabaseRoles => {
  const database = databaseName(name, service);
  return { owner: `${database}_owner`, app: `${database}_app`, system: `${database}_system` };
};

const identifier = (name: string) => pg.escapeIdentifier(name);

const withClient = async <Result>(config: pg.ClientConfig, work: (client: pg.Client) => Promise<Result>): Promise<Result> => {
  const client = new pg.Client(config);
  client.on('error', () => {}); // The query that was running rejects with the same error; without a listener the process would end.
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** Roles, database and tables of one service; what is there already is brought up to date. */
export const provisionDatabase = async (provision: DatabaseProvision): Promise<void> => {
  const database = databaseName(provision.name, provision.service);
  const roles = provision.roles ?? databaseRoles(provision.name, provision.service);
  const { tls = 'off', ...admin } = provision.admin;
  const connection = { ...admin, ssl: tlsOptions(tls) };
  await withClient(connection, async (client) => {
    await ensureRoles(client, roles, provision.passwords);
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${identifier(database)} owner ${identifier(roles.owner)}`);
    await client.query(`revoke all on database ${identifier(database)} from public`);
    await client.query(`grant connect on database ${identifier(database)} to ${identifier(roles.app)}, ${identifier(roles.system)}`);
  });
  await migrate({ ...connection, database }, roles, provision.migrations);
};

const ensureRoles = async (client: pg.Client, roles: DatabaseRoles, passwords: DatabaseProvision['passwords']): Promise<void> => {
  const wanted = [
    [roles.owner, 'nologin', null],
    [roles.app, 'login', passwords.app],
    [roles.system, 'login', passwords.system],
  ] as const;
  for (const [role, login, password] of wanted) {
    // Roles belong to the whole server: two databases that are provisioned at once must not both create one.
    await client.query('select pg_advisory_lock(hashtext($1))', [`settler role ${role}`]);
    const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1', [role]);
    const attributes = `${login}${password === null ? '' : ` password ${pg.escapeLiteral(password)}`}`;
    if (rowCount === 0) {
      await client.query(`create role ${identifier(role)} nosuperuser nocreatedb nocreaterole nobypassrls ${attributes}`);
    } else if (password !== null) {
      await client.query(`alter role ${identifier(role)} ${attributes}`);
    }
    await client.query('select pg_advisory_unlock(hashtext($1))', [`settler role ${role}`]);
  }
  await client.query(`grant ${identifier(roles.owner)} to current_user`);
};

const migrate = async (connection: pg.ClientConfig, roles: DatabaseRoles, folder: string): Promise<void> => {
  const pool = new pg.Pool({ ...connection, max: 1 });
  pool.on('connect', (client) => client.on('error', () => {})); // As above: the running query rejects with it.
  const db = new Kysely<unknown>({
    dialect: new PostgresDialect({
      pool,
      onCreateConnection: async (created) => {
        await created.executeQuery(CompiledQuery.raw(`set role ${identifier(roles.owner)}`));
        await created.executeQuery(
          CompiledQuery.raw(`select set_config('settler.app_role', $1, false), set_config('settler.system_role', $2, false)`, [
            roles.app,
            roles.system,
          ]),
        );
      },
    }),
  });
  try {
    // Those of the chassis sort before a service's own, which a database may have seen already.
    const migrator = new Migrator({ db, provider: { getMigrations: () => readMigrations(folder) }, allowUnorderedMigrations: true });
    const { error, results } = await migrator.migrateToLatest();
    const failed = results?.find((result) => result.status === 'Error');
    if (error !== undefined) throw new Error(`migration ${failed?.migrationName ?? ''} failed`, { cause: error });
    await grantSchema(db, roles);
  } finally {
    await db.destroy();
  }
};

const grantSchema = async (db: Kysely<unknown>, roles: DatabaseRoles): Promise<void> => {
  for (const role of [roles.app, roles.system]) {
    await sql.raw(`grant usage on schema public to ${identifier(role)}`).execute(db);
    await sql.raw(`grant usage on all sequences in schema public to ${identifier(role)}`).execute(db);
  }
  // Whoever waits for the tables of its release looks here.
  await sql.raw(`grant select on kysely_migration to ${identifier(roles.system)}`).execute(db);
};

/** As sources or compiled: then their declarations lie beside them, hence no second dot. */
const migrationFiles = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter((file) => /^\d{4}-[^.]+\.(ts|js)$/.test(file)).sort();
const nameOf = (file: string): string => file.replace(/\.(ts|js)$/, '');

const readMigrations = async (folder: string): Promise<Record<string, Migration>> => {
  const entries = (await migrationFiles(folder)).map(async (file): Promise<[string, Migration]> => {
    const module = (await import(pathToFileURL(join(folder, file)).href)) as Migration;
    return [nameOf(file), { up: module.up }];
  });
  return { ...chassisMigrations, ...Object.fromEntries(await Promise.all(entries)) };
};

/**
 * The migrations of this release that the database of a service has not seen; more than one release may have passed through it.
 * @throws when the database cannot be reached, does not exist yet, or refuses the _system role
 */
export const missingMigrations = async (database: pg.ClientConfig, folder: string): Promise<string[]> => {
  const expected = [...Object.keys(chassisMigrations), ...(await migrationFiles(folder)).map(nameOf)];
  const { rows } = await withClient(database, (client) => client.query<{ name: string }>('select name from kysely_migration'));
  const done = new Set(rows.map(({ name }) => name));
  return expected.filter((name) => !done.has(name));
};

export interface BrokerProvision {
  /** With credentials that may administer JetStream. */
  readonly servers: string;
  /** On how many servers of a cluster each stream is kept. */
  readonly replicas?: number;
  /** How long a message that was handed out and not acknowledged waits before it is handed out again. */
  readonly ackWaitMs?: number;
}

/** Streams first, then the durable consumers on them. */
export const provisionBroker = async ({ servers, replicas = 1, ackWaitMs = 30_000 }: BrokerProvision): Promise<void> => {
  const connection = await connect({ ...brokerServers(servers), name: 'settler-provision', timeout: 5_000 });
  try {
    const manager = await jetstreamManager(connection);
    const known = new Set<string>();
    for await (const info of manager.streams.list()) known.add(info.config.name);
    for (const stream of Object.values<StreamDefinition>(streams)) {
      const config = streamConfiguration(stream, replicas);
      await (known.has(stream.name) ? manager.streams.update(stream.name, config) : manager.streams.add(config));
    }
    for (const consumer of Object.values<ConsumerDefinition>(consumers)) {
      const { durable_name: name, ...config } = consumerConfiguration(consumer, ackWaitMs);
      const durables = await namesOf(manager.consumers.list(consumer.stream));
      // Adding one that is there with another configuration is refused, and an upgrade may bring another one.
      await (durables.has(name)
        ? manager.consumers.update(consumer.stream, name, config)
        : manager.consumers.add(consumer.stream, { durable_name: name, ...config }));
    }
  } finally {
    await connection.close();
  }
};

const namesOf = async (consumersOfStream: AsyncIterable<{ readonly name: string }>): Promise<Set<string>> => {
  const names = new Set<string>();
  for await (const { name } of consumersOfStream) names.add(name);
  return names;
};

const nanoseconds = (ms: number) => ms * 1_000_000;

const streamConfiguration = (stream: StreamDefinition, replicas: number) => ({
  name: stream.name,
  subjects: [...stream.subjects],
  retention: stream.retention === 'workqueue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
  storage: StorageType.File,
  num_replicas: replicas,
  discard: DiscardPolicy.New,
  max_age: nanoseconds(stream.maxAgeMs),
  max_bytes: stream.maxBytes,
  max_msg_size: 128 * 1024,
  duplicate_window: nanoseconds(2 * 60_000),
});

const consumerConfiguration = (consumer: ConsumerDefinition, ackWaitMs: number) => ({
  durable_name: consumer.durable,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  ack_wait: nanoseconds(ackWaitMs),
  max_ack_pending: 256,
  filter_subjects: [...consumer.filters],
});
