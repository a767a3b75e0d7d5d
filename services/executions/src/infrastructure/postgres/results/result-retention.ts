/** Drops the results of months that have served their time. What the report says of them is kept with the run. */
import type { Logger } from '@settler/chassis/logger';
import type { Postgres } from '@settler/chassis/postgres';
import { startRounds } from '@settler/chassis/rounds';
import { sql } from 'kysely';
import { isOver } from '../../../domain/execution.ts';
import { sumsOf } from '../reports/report-query.ts';
import type { Database } from '../tables.ts';

const everyMs = 60 * 60_000;
const batchRuns = 50;

export const startResultRetention = (postgres: Postgres<Database>, months: number, logger: Logger) => {
  const round = async () => {
    const dropped = await dropOldResults(postgres, months);
    if (dropped.length > 0) logger.info({ partitions: dropped }, 'results that served their time were dropped');
  };
  return startRounds(everyMs, round, logger, 'retention of results is put off to the next round');
};

/**
 * Keeps this month and `months` before it. Returns the partitions that were dropped: of results, and of their sums.
 * Readers are told that a run's results are gone before they are, never that there were none.
 */
export const dropOldResults = async (postgres: Postgres<Database>, months: number, now = new Date()): Promise<readonly string[]> => {
  const before = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
  while ((await keepReports(postgres, before)) === batchRuns);
  const { rows } = await sql<{ name: string }>`select drop_result_partitions(${before.toISOString().slice(0, 10)}::date) as name`.execute(
    postgres.systemDb,
  );
  return rows.map(({ name }) => name);
};

const keepReports = (postgres: Postgres<Database>, before: Date): Promise<number> =>
  postgres.system(async (trx) => {
    const runs = await trx
      .selectFrom('executions')
      .selectAll()
      .where('results_dropped_at', 'is', null)
      .where('created_at', '<', before)
      .orderBy('created_at')
      .limit(batchRuns)
      .forUpdate()
      .execute();
    for (const run of runs) {
      // It would write into a month that is about to go.
      if (!isOver(run.status)) throw new Error(`${run.id} is ${run.status} since ${run.created_at.toISOString()}: its month is kept`);
      const report = run.report ?? (run.status === 'completed' ? await sumsOf(trx, run) : null);
      await trx
        .updateTable('executions')
        .set({ results_dropped_at: sql`now()`, report: report === null ? null : JSON.stringify(report) })
        .where('id', '=', run.id)
        .execute();
      for (const table of ['result_digests', 'result_sums', 'result_renamings', 'match_keys'] as const)
        await trx.deleteFrom(table).where('execution_id', '=', run.id).execute();
    }
    return runs.length;
  });
