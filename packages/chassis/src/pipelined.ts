/**
 * Transactions with few messages, for each of which somebody has to be woken. A transaction says in its first one whom it is for and goes
 * on without an answer to that; statements that are asked for together are sent together; and one that only reads does not wait for its
 * end, which goes with its statements where those are all known at once.
 */
import { CompiledQuery, type Dialect, type Kysely, Transaction } from 'kysely';
import { type Client, escapeLiteral } from 'pg';
import type { StatementNames } from './statement-names.ts';

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

export interface TransactionWanted {
  /** Null: for none. */
  readonly organizationId: string | null;
  /** `at once`: it only reads, and asks for all of its statements before it has an answer to any. */
  readonly kind: 'writing' | 'reading' | 'reading at once';
}

export type Transact<DB> = <Result>(wanted: TransactionWanted, work: (trx: Transaction<DB>) => Promise<Result>) => Promise<Result>;

/** On the pipelined clients of `db`. */
export const createPipelinedTransactions = <DB>(db: Kysely<DB>, dialect: Dialect): Transact<DB> => {
  const driver = dialect.createDriver();
  return ({ organizationId, kind }, work) =>
    db.getExecutor().provideConnection(async (connection) => {
      let isOver = false;
      const executor = db.getExecutor().withConnectionProvider({
        // Kysely's own lets a statement wait for the one before.
        provideConnection: async (consumer) => {
          if (isOver) throw new Error('a statement came when its transaction was over');
          return consumer(connection);
        },
      });
      const begin = kind === 'writing' ? 'begin' : 'begin read only';
      const forWhom = organizationId === null ? '' : `; set local app.organization_id = ${escapeLiteral(organizationId)}`;
      const begun = connection.executeQuery(CompiledQuery.raw(begin + forWhom));
      const end = (): Promise<void> => {
        isOver = true;
        const committed = driver.commitTransaction(connection);
        // Whoever has the connection next waits behind it, and is told if it is lost.
        committed.catch(() => {});
        return committed;
      };
      // Told once the work is done, before which it is known: without a beginning there was no transaction, and nothing to see.
      begun.catch(() => {});
      try {
        const working = work(new Transaction<DB>({ config: { dialect }, dialect, driver, executor }));
        if (kind === 'reading at once') void end();
        const result = await working;
        await begun;
        if (kind === 'writing') await end();
        else if (!isOver) void end();
        return result;
      } catch (error) {
        if (!isOver) {
          isOver = true;
          await driver.rollbackTransaction(connection);
        }
        throw error;
      }
    });
};
