import { newestFirst } from '@settler/chassis/newest-first';
import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import type { Selectable } from 'kysely';
import type { ExecutionQueries, ExecutionView, ResultView } from '../../application/queries.ts';
import { exceptionQueries } from './exception-queries.ts';
import { readFees } from './fee-query.ts';
import { type FoundResult, findResults, soughtBy } from './find-results.ts';
import { readReport } from './report-query.ts';
import { requireResults } from './stored-results.ts';
import type { Database } from './tables.ts';
import { trendQuery } from './trend-query.ts';

/** Not what a run was given and what came of it: the definition and the report are as long as everything else, and have routes of their own. */
const viewColumns = [
  ...([
    'id',
    'job_id',
    'job_version',
    'status',
    'progress',
    'summary',
    'error',
    'problems',
    'dry_run',
    'period_from',
    'period_to',
  ] as const),
  ...(['note', 'tried_on', 'waiting_for', 'attempt', 'created_by_type', 'created_by_id', 'created_at', 'started_at'] as const),
  ...(['completed_at', 'results_dropped_at'] as const),
] satisfies readonly (keyof Database['executions'])[];

const executionView = (row: Pick<Selectable<Database['executions']>, (typeof viewColumns)[number]>): ExecutionView => ({
  id: row.id,
  jobId: row.job_id,
  jobVersion: row.job_version,
  status: row.status,
  progress: row.progress,
  summary: row.summary,
  error: row.error,
  problems: row.problems,
  dryRun: row.dry_run,
  period: row.period_from === null || row.period_to === null ? null : { from: row.period_from, to: row.period_to },
  note: row.note,
  triedOn: row.tried_on,
  waitingFor: row.waiting_for,
  attempt: row.attempt,
  createdBy: { type: row.created_by_type, id: row.created_by_id },
  createdAt: row.created_at.toISOString(),
  startedAt: row.started_at?.toISOString() ?? null,
  completedAt: row.completed_at?.toISOString() ?? null,
  resultsDroppedAt: row.results_dropped_at?.toISOString() ?? null,
});

export const resultView = (row: FoundResult): ResultView => ({
  id: row.id,
  outcome: row.outcome,
  source: row.source,
  target: row.target,
  pass: row.pass,
  cardinality: row.cardinality,
  score: row.score,
  margin: row.margin,
  delta: row.delta,
  conditions: row.conditions,
  category: row.category,
  reason: row.reason,
  line: row.line,
  dueOn: row.due_on,
  exceptionId: row.exception_id,
  manual: row.manual,
});

export const createExecutionQueries = (postgres: Postgres<Database>, cursors: Cursors): ExecutionQueries => ({
  ...exceptionQueries(postgres, cursors),

  read: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx
        .selectFrom('executions')
        .select([...viewColumns, 'revision', 'progress_sequence'])
        .where('id', '=', id)
        .executeTakeFirst();
      return row === undefined ? undefined : { view: executionView(row), revision: row.revision, sequence: row.progress_sequence };
    }),

  list: (organizationId, { jobId, status, since, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = JSON.stringify(['executions', organizationId, jobId, status, since]);
      let query = trx.selectFrom('executions').select(viewColumns);
      if (jobId !== undefined) query = query.where('job_id', '=', jobId);
      if (status !== undefined) query = query.where('status', '=', status);
      if (since !== undefined) query = query.where('created_at', '>=', new Date(since));
      return newestFirst(query, { cursors, list, limit, cursor }, executionView);
    }),

  results: (organizationId, id, { limit, cursor, ...filter }) =>
    postgres.reading(organizationId, async (trx) => {
      const execution = await trx
        .selectFrom('executions')
        .select(['id', 'status', 'created_at', 'results_dropped_at'])
        .where('id', '=', id)
        .executeTakeFirst();
      if (execution === undefined) return undefined;
      // Rows of an attempt that did not end are nobody's results.
      if (execution.status !== 'completed') return { data: [], nextCursor: null };
      requireResults(execution);
      const { outcome, pass, q, minAmount } = filter;
      const list = JSON.stringify(['results', id, outcome, pass, q, minAmount]);
      const [after] = cursors.read(list, cursor) ?? [];
      const behind = after === undefined ? -1 : Number(after);
      const rows = await findResults(trx, execution, soughtBy(filter), { after: behind, limit: limit + 1 });
      return toPage(rows, limit, resultView, (row) => cursors.write(list, [row.position]));
    }),

  resultsAfter: (organizationId, id, filter, { after, limit }) =>
    postgres.reading(organizationId, async (trx) => {
      const execution = await trx
        .selectFrom('executions')
        .select(['id', 'created_at', 'results_dropped_at'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
      // In the middle of an export too: a part must not look like the whole.
      requireResults(execution);
      const rows = await findResults(trx, execution, soughtBy(filter), { after, limit });
      return { results: rows.map(resultView), last: rows.at(-1)?.position };
    }),

  fees: (organizationId, id) => postgres.reading(organizationId, (trx) => readFees(trx, id)),
  trend: trendQuery(postgres, cursors),
  report: (organizationId, id, options) => postgres.reading(organizationId, (trx) => readReport(trx, id, options)),
});
