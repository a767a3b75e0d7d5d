/** How the runs of a job have been going: one line each, newest first, from what each has said of itself. */
import { newestFirst } from '@settler/chassis/newest-first';
import type { Cursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { ExecutionQueries, TrendPoint } from '../../../application/queries.ts';
import { inDigitsOf } from '../../../domain/stake.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

export const trendQuery =
  (postgres: Postgres<Database>, cursors: Cursors): ExecutionQueries['trend'] =>
  (organizationId, { jobId, since, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = JSON.stringify(['trend', organizationId, jobId, since]);
      let query = trx
        .selectFrom('executions')
        .select(['id', 'job_version', 'summary', 'created_at', 'completed_at', 'opened'])
        .where('job_id', '=', jobId)
        .where('status', '=', 'completed')
        .where('dry_run', '=', false);
      if (since !== undefined) query = query.where('created_at', '>=', new Date(since));
      const { data: runs, nextCursor } = await newestFirst(query, { cursors, list, limit, cursor }, (row) => row);
      const opened = await openedBy(
        trx,
        runs.flatMap(({ id, opened: told }) => (told === null ? [id] : [])),
      );
      const data = runs.map(
        ({ id, job_version: jobVersion, summary, created_at: createdAt, completed_at: completedAt, opened: told }): TrendPoint => ({
          executionId: id,
          jobVersion,
          createdAt: createdAt.toISOString(),
          completedAt: completedAt?.toISOString() ?? null,
          summary,
          opened: told ?? opened.get(id) ?? [],
        }),
      );
      return { data, nextCursor };
    });

/** Of runs that have not told it themselves: as their exceptions are now. */
const openedBy = async (trx: Trx, ids: readonly string[]): Promise<ReadonlyMap<string, TrendPoint['opened']>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ execution_id: string; category: string; currency: string; count: bigint; amount: string }>`
    select execution_id, category, coalesce(currency, '') as currency, count(*) as count, coalesce(sum(abs(amount)) filter (where currency is not null), 0)::text as amount
      from exceptions where execution_id = any(${[...ids]}::text[])
     group by 1, 2, 3 order by 1, 2, 3`.execute(trx);
  const points = rows.map(({ execution_id: id, count, amount, ...line }) => ({
    id,
    line: { ...line, count: Number(count), amount: inDigitsOf(line.currency, amount) },
  }));
  return new Map([...Map.groupBy(points, ({ id }) => id)].map(([id, own]) => [id, own.map(({ line }) => line)]));
};
