/**
 * PostgreSQL for Kysely with fewer messages, for each of which somebody has to be woken: a transaction says in its first one whom it is
 * for and goes on without an answer to that, and one that only reads does not wait for its end.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { CompiledQuery, type DatabaseConnection, PostgresDialect, PostgresDriver, type TransactionSettings } from 'kysely';
import { type Client, escapeLiteral, type Pool } from 'pg';
import type { StatementNames } from './statement-names.ts';

const beginning = new AsyncLocalStorage<string | null>();

/** Null: for none. `begin` has to begin the transaction that is meant. */
export const beginningFor = <Result>(organizationId: string | null, begin: () => Result): Result => beginning.run(organizationId, begin);

export interface ClientOptions {
  readonly nameOf: StatementNames;
  /** Whether it does not wait for one answer before the next query, and sends what is asked at once in one write. */
  readonly isPipelined: boolean;
}

/** Clients that send statements which have a name under their names. */
export const clientsOf = (Base: typeof Client, { nameOf, isPipelined }: ClientOptions): typeof Client => {
  type Query = Parameters<Client['query']>;
  const named = (query: Query): Query => {
    const [text, values, ...rest] = query as unknown[];
    // Without parameters it may be several statements, which only have no name.
    const name = typeof text === 'string' && Array.isArray(values) && values.length > 0 ? nameOf(text) : undefined;
    return name === undefined ? query : ([{ name, text, values }, ...rest] as unknown as Query);
  };
  return class extends Base {
    override query = ((...query: Query) => {
      const { stream } = this.connection;
      if (isPipelined && stream.writableCorked === 0) {
        stream.cork();
        process.nextTick(() => stream.uncork());
      }
      return super.query(...named(query));
    }) as Client['query'];
  };
};

class PipelinedDriver extends PostgresDriver {
  readonly #reading = new WeakSet<DatabaseConnection>();
  readonly #begun = new WeakMap<DatabaseConnection, Promise<unknown>>();

  override async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    const organizationId = beginning.getStore() ?? null;
    const begin = accessMode === undefined ? 'begin' : `begin ${accessMode}`;
    const forWhom = organizationId === null ? '' : `; select set_config('app.organization_id', ${escapeLiteral(organizationId)}, true)`;
    if (accessMode === 'read only') this.#reading.add(connection);
    const begun = connection.executeQuery(CompiledQuery.raw(begin + forWhom));
    this.#begun.set(connection, begun);
    // Told at the end, before which it is known: without a beginning there was no transaction, and nothing of its organization to see.
    begun.catch(() => {});
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await this.#begun.get(connection);
    const committed = super.commitTransaction(connection);
    // Whoever has the connection next waits behind it, and is told if it is lost.
    if (this.#reading.delete(connection)) committed.catch(() => {});
    else await committed;
  }

  override async rollbackTransaction(connection: Parameters<PostgresDriver['rollbackTransaction']>[0]): Promise<void> {
    this.#reading.delete(connection);
    await super.rollbackTransaction(connection);
  }
}

/** For a pool of pipelined clients. */
export class PipelinedDialect extends PostgresDialect {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    super({ pool });
    this.#pool = pool;
  }

  override createDriver(): PostgresDriver {
    return new PipelinedDriver({ pool: this.#pool });
  }
}
