/**
 * PostgreSQL as every service uses it: two roles, transactions that carry the organization, and nothing that outlives a commit.
 *
 * `organization` runs as the _app role under row-level security; request handlers hold no other. `system` runs as the _system
 * role, which sees every row: relay, claims, sweepers, retention. Inside an open transaction for the same organization a second
 * call joins it, which is how an idempotency record comes into the effect's own transaction while stores still own theirs.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { createRequire } from 'node:module';
import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely';
import type { Pool as PgPool, PoolConfig } from 'pg';
import { parseInstant } from './instants.ts';
import { parseWithNames } from './json-names.ts';
import type { Logger } from './logger.ts';
import { clientsOf, createPipelinedTransactions, type Transact, type TransactionWanted } from './pipelined.ts';
import { createStatementNames } from './statement-names.ts';

// Loaded by require, because the tracing instrumentation patches what is required and does not see what is imported.
const pg = createRequire(import.meta.url)('pg') as typeof import('pg');

/** Whether connections are encrypted, and whether the server has to prove who it is. */
export type DatabaseTls = 'off' | 'require' | 'verify';

export const tlsOptions = (tls: DatabaseTls): false | { readonly rejectUnauthorized: boolean } =>
  tls === 'off' ? false : { rejectUnauthorized: tls === 'verify' };

export interface PostgresOptions {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly ssl: DatabaseTls;
  readonly app: { readonly user: string; readonly password: string };
  readonly system: { readonly user: string; readonly password: string };
  readonly poolMax: number;
  readonly poolMin: number;
  readonly logger: Logger;
}

export interface Postgres<DB> {
  /** One transaction as _app for one organization; joins the one that is open for it. */
  readonly organization: <Result>(organizationId: string, work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;
  /** The same for what only reads, which the database makes sure of. Nobody waits for its end. */
  readonly reading: <Result>(organizationId: string, work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;
  /** The same for what asks for all of its statements before it has an answer to any: they and the end of it are one message. */
  readonly readingAtOnce: <Result>(organizationId: string, work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;
  /** One transaction as _app for nobody yet: login and registration. Policies show it no organization's rows. */
  readonly anonymous: <Result>(work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;
  /** One transaction as _system. Joins nothing. */
  readonly system: <Result>(work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;
  /** Single statements as _system, outside a transaction. */
  readonly systemDb: Kysely<DB>;
  /** For what Kysely cannot do: COPY and LISTEN. */
  readonly systemPool: PgPool;
  readonly close: () => Promise<void>;
}

interface OpenTransaction {
  readonly owner: object;
  readonly organizationId: string | null;
  readonly trx: Transaction<never>;
  readonly afterCommit: (() => void)[];
}

const open = new AsyncLocalStorage<OpenTransaction | undefined>();

/** Runs `action` once the current transaction has committed; not at all when it rolls back. */
export const afterCommit = (action: () => void): void => {
  const current = open.getStore();
  if (current === undefined) throw new Error('afterCommit was called outside a transaction');
  current.afterCommit.push(action);
};

// bigint columns are minor units of money or counts: never a float. Dates stay text: a Date would move them by the time zone. Records have
// names that other organizations have chosen.
const typeParsers = new Map<number, (text: string) => unknown>([
  [20, BigInt],
  [114, (text) => parseWithNames(text)],
  [1082, (text) => text],
  [1184, parseInstant],
  [3802, (text) => parseWithNames(text)],
]);
const types = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && typeParsers.get(oid)) || pg.types.getTypeParser(oid, format as 'text'),
};

const connectionTimeoutMs = 5_000;
/** One listens, one copies results, one renews their lease, and two are for everything else. */
const systemConnectionsMin = 5;
const idleTimeoutMs = 30_000;
const statementTimeoutMs = 60_000;
/** A process that is frozen in a transaction holds its locks, and whoever waits for them gives up after the time above. */
const idleInTransactionMs = 30_000;

export const createPostgres = <DB>(options: PostgresOptions): Postgres<DB> => {
  const nameOf = createStatementNames();
  const createPool = (role: { user: string; password: string }, max: number, min: number, isPipelined: boolean): PgPool => {
    const pool = new pg.Pool({
      pipeline: isPipelined,
      Client: clientsOf(pg.Client, { nameOf, isPipelined }) as NonNullable<PoolConfig['Client']>,
      host: options.host,
      port: options.port,
      database: options.database,
      ssl: tlsOptions(options.ssl),
      user: role.user,
      password: role.password,
      max,
      min,
      idleTimeoutMillis: idleTimeoutMs,
      connectionTimeoutMillis: connectionTimeoutMs,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: idleInTransactionMs,
      keepAlive: true,
      types: types as NonNullable<PoolConfig['types']>,
    });
    // Without these two listeners a restart of PostgreSQL ends the process: the first for idle clients, the second for those in use.
    pool.on('error', (error) => options.logger.warn({ err: error }, 'an idle database connection was lost'));
    pool.on('connect', (client) =>
      client.on('error', (error) => options.logger.warn({ err: error }, 'a database connection in use was lost')),
    );
    return pool;
  };
  // The process keeps within one limit: most of it for requests, the rest for the machinery.
  const systemMax = Math.max(systemConnectionsMin, Math.floor(options.poolMax * 0.3));
  const appPool = createPool(options.app, Math.max(1, options.poolMax - systemMax), options.poolMin, true);
  // COPY and LISTEN need a connection to themselves, which a pipelined one is not.
  const systemPool = createPool(options.system, systemMax, 1, false);
  const dialect = new PostgresDialect({ pool: appPool });
  const appDb = new Kysely<DB>({ dialect });
  const systemDb = new Kysely<DB>({ dialect: new PostgresDialect({ pool: systemPool }) });
  const onApp = createPipelinedTransactions(appDb, dialect);
  const onSystem: Transact<DB> = (_wanted, work) => systemDb.transaction().execute(work);
  const owner = {};

  const transact = async <Result>(
    on: Transact<DB>,
    wanted: TransactionWanted,
    work: (trx: Transaction<DB>) => Promise<Result>,
  ): Promise<Result> => {
    const actions: (() => void)[] = [];
    const { organizationId } = wanted;
    const result = await on(wanted, (trx) =>
      open.run({ owner, organizationId, trx: trx as unknown as Transaction<never>, afterCommit: actions }, () => work(trx)),
    );
    for (const action of actions) action();
    return result;
  };

  const transactOrJoin =
    (kind: TransactionWanted['kind']) =>
    async <Result>(organizationId: string, work: (trx: Transaction<DB>) => Promise<Result>): Promise<Result> => {
      const current = open.getStore();
      const joins = current?.owner === owner && current.organizationId === organizationId;
      return joins ? work(current.trx as unknown as Transaction<DB>) : transact(onApp, { organizationId, kind }, work);
    };

  return {
    organization: transactOrJoin('writing'),
    reading: transactOrJoin('reading'),
    readingAtOnce: transactOrJoin('reading at once'),
    anonymous: (work) => transact(onApp, { organizationId: null, kind: 'writing' }, work),
    system: (work) => transact(onSystem, { organizationId: null, kind: 'writing' }, work),
    systemDb,
    systemPool,
    close: async () => {
      await Promise.all([appDb.destroy(), systemDb.destroy()]);
    },
  };
};

/** Row-level security for work that a _system transaction does for one organization, such as writing its outbox rows. */
export const actFor = async <DB>(trx: Transaction<DB>, organizationId: string): Promise<void> => {
  await sql`select set_config('app.organization_id', ${organizationId}, true)`.execute(trx);
};
