/**
 * PostgreSQL for Kysely with fewer messages, for each of which somebody has to be woken: a transaction says in its first one whom it is
 * for and goes on without an answer to that, and one that only reads does not wait for its end.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { CompiledQuery, type DatabaseConnection, PostgresDialect, PostgresDriver, type TransactionSettings } from 'kysely';
import { type Client, escapeLiteral, type Pool } from 'pg';

const beginning = new AsyncLocalStorage<string | null>();

/** Null: for none. `begin` has to begin the transaction that is meant. */
export const beginningFor = <Result>(organizationId: string | null, begin: () => Result): Result => beginning.run(organizationId, begin);

/** Clients that do not wait for one answer before the next query, and send what is asked at once in one write. */
export const pipelined = (Base: typeof Client): typeof Client =>
  class extends Base {
    override query = ((...query: Parameters<Client['query']>) => {
      const { stream } = this.connection;
      if (stream.writableCorked === 0) {
        stream.cork();
        process.nextTick(() => stream.uncork());
      }
      return super.query(...query);
    }) as Client['query'];
  };

class PipelinedDriver extends PostgresDriver {
  readonly #reading = new WeakSet<DatabaseConnection>();

  override async beginTransaction(connection: DatabaseConnection, { accessMode }: TransactionSettings): Promise<void> {
    const organizationId = beginning.getStore() ?? null;
    const begin = accessMode === undefined ? 'begin' : `begin ${accessMode}`;
    const forWhom = organizationId === null ? '' : `; select set_config('app.organization_id', ${escapeLiteral(organizationId)}, true)`;
    if (accessMode === 'read only') this.#reading.add(connection);
    // It fails only with the connection, and then what follows fails too.
    connection.executeQuery(CompiledQuery.raw(begin + forWhom)).catch(() => {});
  }

  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
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
