/**
 * PostgreSQL for Kysely, where a transaction that begins for an organization says so in the same message: of the four that a short read
 * sends, each of which the server has to be woken for, it is one less.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { CompiledQuery, type DatabaseConnection, PostgresDialect, PostgresDriver, type TransactionSettings } from 'kysely';
import { escapeLiteral, type Pool } from 'pg';

const beginning = new AsyncLocalStorage<string | null>();

/** Null: for none. `begin` has to begin the transaction that is meant. */
export const beginningFor = <Result>(organizationId: string | null, begin: () => Result): Result => beginning.run(organizationId, begin);

class Driver extends PostgresDriver {
  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    const organizationId = beginning.getStore() ?? null;
    if (organizationId === null) return super.beginTransaction(connection, settings);
    const statements = `begin; select set_config('app.organization_id', ${escapeLiteral(organizationId)}, true)`;
    await connection.executeQuery(CompiledQuery.raw(statements));
  }
}

export class Dialect extends PostgresDialect {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    super({ pool });
    this.#pool = pool;
  }

  override createDriver(): PostgresDriver {
    return new Driver({ pool: this.#pool });
  }
}
