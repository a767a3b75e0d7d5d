import type { Postgres } from '@settler/chassis/postgres';
import { lockWaits, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { HeldExecution, ResultWriter } from '../src/application/ports.ts';
import { resultPartition } from '../src/infrastructure/postgres/results/partition.ts';
import { rowsOf } from '../src/infrastructure/postgres/results/result-rows.ts';
import { createResultWriter } from '../src/infrastructure/postgres/results/result-writer.ts';
import type { Database } from '../src/infrastructure/postgres/tables.ts';
import { type Executions, euro, shareExecutions } from './running-service.ts';

const tables = ['results', 'result_sums'] as const;

/** A worker that is still for a while in the middle of what it does, and another that has its execution when it goes on. */
describe('the writer of results', () => {
  let executions: Executions;
  let postgres: Postgres<Database>;
  let writer: ResultWriter;
  let blocker: pg.Client;

  beforeAll(async () => {
    executions = await shareExecutions();
    postgres = executions.openPostgres() as unknown as Postgres<Database>;
    writer = createResultWriter(postgres);
    blocker = new pg.Client(executions.island.databaseConfig('executions', 'admin'));
    await blocker.connect();
  });
  afterAll(async () => {
    await blocker.end();
    await postgres.close();
    await executions.stop();
  });

  const ended = async (number: number): Promise<HeldExecution> => {
    const { id } = await executions.run(`job_01jqv8m0c4e7r9t2w5y8a${number}wrte`, [euro('s1', '10.00')], [euro('t1', '10.00')]);
    const { rows } = await executions.database.query('select * from executions where id = $1', [id]);
    const [{ organization_id: organizationId, job_id: jobId, lease_epoch: epoch, created_at: createdAt, definition }] = rows;
    return { id, organizationId, jobId, definition, dryRun: false, period: null, epoch, attempt: 1, createdAt, triedOn: null };
  };
  const pieceOf = (held: HeldExecution) => {
    const record = { currency: 'EUR', units: 700, carried: false, record: euro('s7', '7.00') };
    const alone = { pass: null, cardinality: null, score: null, margin: null, delta: null, category: null, reason: null, line: null };
    const missing = { ...alone, outcome: 'missing_in_target' as const, conditions: [], source: [record], target: [] };
    return rowsOf({ ...held, carriesForward: false, severity: undefined }, [missing], 7);
  };
  const stored = async ({ id }: HeldExecution) => {
    const counts: Record<string, unknown>[][] = [];
    // One after the other: a connection has one query at a time.
    for (const table of tables) {
      const count = `select epoch, count(*)::int from ${table} where execution_id = $1 group by epoch`;
      counts.push((await executions.database.query(count, [id])).rows);
    }
    return counts;
  };
  /** Lets `work` come as far as the rows, gives the execution to somebody else, and lets it go on. */
  const lapsing = async (held: HeldExecution, work: () => Promise<void>): Promise<unknown> => {
    await blocker.query('begin');
    await blocker.query(`lock ${resultPartition(held.createdAt)} in access exclusive mode`);
    const outcome = work().then(
      () => 'written',
      (error: Error) => error.message,
    );
    const waiting = `${lockWaits} and relation::regclass::text like 'result%'`;
    await waitFor(async () => ((await executions.database.query(waiting)).rowCount ?? 0) > 0, {
      timeoutMs: 10_000,
      what: 'who waits for the rows',
    });
    await executions.database.query('update executions set lease_epoch = lease_epoch + 1 where id = $1', [held.id]);
    await blocker.query('commit');
    return outcome;
  };

  test('leaves no row behind where its lease lapsed while it wrote', async () => {
    const held = await ended(1);
    const before = await stored(held);
    expect(await lapsing(held, () => writer.write(held, pieceOf(held)))).toBe('the lease was lost');
    expect(await stored(held)).toEqual(before);
    await writer.write({ ...held, epoch: held.epoch + 1 }, pieceOf({ ...held, epoch: held.epoch + 1 }));
    expect((await stored(held)).map((epochs) => epochs.length)).toEqual([2, 2]);
  });

  test('deletes nothing of whoever has the lease now', async () => {
    const held = await ended(2);
    const before = await stored(held);
    expect(await lapsing(held, () => writer.begin(held))).toBe('the lease was lost');
    expect(await stored(held)).toEqual(before);
    await writer.begin({ ...held, epoch: held.epoch + 1 });
    expect(await stored(held)).toEqual([[], []]);
  });
});
