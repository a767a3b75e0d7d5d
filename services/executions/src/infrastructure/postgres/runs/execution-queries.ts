import { JsonText } from '@settler/chassis/json-text';
import { newestFirst } from '@settler/chassis/newest-first';
import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { ExecutionQueries, ExecutionView, ListedResult } from '../../../application/queries.ts';
import { categoryOf } from '../../../domain/exceptions.ts';
import { exceptionQueries } from '../exceptions/exception-queries.ts';
import { readFees } from '../reports/fee-query.ts';
import { readReport } from '../reports/report-query.ts';
import { trendQuery } from '../reports/trend-query.ts';
import { type FoundResult, findResults, findResultTexts, type ResultTexts, soughtBy, type Told } from '../results/find-results.ts';
import { requireResults } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { goesBefore } from './serial.ts';

/** Not what a run was given and what came of it: the definition and the report are as long as everything else, and have routes of their own. */
const viewColumns = [
  ...(['id', 'job_id', 'job_version', 'status', 'progress', 'summary', 'error', 'problems', 'dry_run', 'note', 'inputs'] as const),
  ...(['period_from', 'period_to', 'tried_on', 'attempt', 'created_by_type', 'created_by_id'] as const),
  ...(['created_at', 'started_at', 'completed_at', 'results_dropped_at'] as const),
] satisfies readonly (keyof Database['executions'])[];

/** What a claim would find in its way, where no attempt has left another reason. */
const waitingFor = sql<string | null>`coalesce(waiting_for, case when status = 'queued' and is_serial then
  (select 'the execution ' || o.id || ' of its job' from executions o
    where ${sql.raw(goesBefore('o', 'executions'))}
    order by o.status = 'running' desc, o.created_at limit 1) end)`.as('waiting_for');

type ViewRow = Pick<Selectable<Database['executions']>, (typeof viewColumns)[number] | 'waiting_for'>;

const executionView = (row: ViewRow): ExecutionView => ({
  id: row.id,
  jobId: row.job_id,
  jobVersion: row.job_version,
  status: row.status,
  progress: row.progress,
  summary: row.summary,
  error: row.error,
  problems: row.problems,
  dryRun: row.dry_run,
  inputs: row.inputs ?? { source: null, target: null },
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

/** What a result says besides its JSON, and that in whichever form it was read. */
const viewIn = <Lists, Delta>(row: Omit<FoundResult, keyof Told>, source: Lists, target: Lists, conditions: Lists, delta: Delta) => ({
  id: row.id,
  outcome: row.outcome,
  source,
  target,
  pass: row.pass,
  cardinality: row.cardinality,
  score: row.score,
  margin: row.margin,
  delta,
  conditions,
  // What is not due yet needs nobody.
  category: row.due_on === null ? (categoryOf(row.outcome, row.category ?? undefined) ?? null) : null,
  reason: row.reason,
  line: row.line,
  dueOn: row.due_on,
  exceptionId: row.exception_id,
  manual: row.manual,
  runnerUp: row.runner_up,
});

export const resultView = (row: FoundResult) => viewIn(row, row.source, row.target, row.conditions, row.delta);

const listed = (row: ResultTexts): ListedResult =>
  viewIn(
    row,
    new JsonText(row.source),
    new JsonText(row.target),
    new JsonText(row.conditions),
    row.delta === null ? null : new JsonText(row.delta),
  );

type Run = Pick<Selectable<Database['executions']>, 'id' | 'created_at'>;

/** A piece is read in milliseconds: whoever meets somebody else's change so often meets a script, and is told. */
const settledAttempts = 5;

const completedMax = 10_000;

/** Runs that were seen to be completed, which they stay: where their results are does not have to be asked for every page. */
const createCompleted = () => {
  const runs = new Map<string, Run>();
  return {
    of: (organizationId: string, id: string): Run | undefined => runs.get(`${organizationId} ${id}`),
    add: (organizationId: string, { id, created_at }: Run): void => {
      if (runs.size === completedMax) runs.clear();
      runs.set(`${organizationId} ${id}`, { id, created_at });
    },
  };
};

export const createExecutionQueries = (postgres: Postgres<Database>, cursors: Cursors): ExecutionQueries => {
  const completed = createCompleted();
  return {
    ...exceptionQueries(postgres, cursors),

    read: (organizationId, id) =>
      postgres.readingAtOnce(organizationId, async (trx) => {
        const row = await trx
          .selectFrom('executions')
          .select([...viewColumns, waitingFor, 'revision', 'progress_sequence'])
          .where('id', '=', id)
          .executeTakeFirst();
        return row === undefined ? undefined : { view: executionView(row), revision: row.revision, sequence: row.progress_sequence };
      }),

    list: (organizationId, { jobId, status, since, limit, cursor }) =>
      postgres.readingAtOnce(organizationId, async (trx) => {
        const list = JSON.stringify(['executions', organizationId, jobId, status?.join(), since]);
        let query = trx.selectFrom('executions').select([...viewColumns, waitingFor]);
        if (jobId !== undefined) query = query.where('job_id', '=', jobId);
        if (status !== undefined) query = query.where('status', 'in', status);
        if (since !== undefined) query = query.where('created_at', '>=', new Date(since));
        return newestFirst(query, { cursors, list, limit, cursor }, executionView);
      }),

    results: async (organizationId, id, { limit, cursor, ...filter }) => {
      const { outcome, pass, q, minAmount } = filter;
      const sought = soughtBy(filter);
      const list = JSON.stringify(['results', id, outcome, pass, q, minAmount]);
      const pageOf = (rows: readonly ResultTexts[]) => toPage(rows, limit, listed, (row) => cursors.write(list, [row.position]));
      const find = (trx: Transaction<Database>, run: Run) => {
        const [after] = cursors.read(list, cursor) ?? [];
        return findResultTexts(trx, run, sought, { after: after === undefined ? -1 : Number(after), limit: limit + 1 });
      };
      const known = completed.of(organizationId, id);
      if (known !== undefined) {
        // What is sought takes several statements, each for what the one before has found.
        const reading = sought.length === 0 ? postgres.readingAtOnce : postgres.reading;
        const rows = await reading(organizationId, (trx) => find(trx, known));
        // Where there are none it is to be found out why.
        if (rows.length > 0) return pageOf(rows);
      }
      return postgres.reading(organizationId, async (trx) => {
        const execution = await trx
          .selectFrom('executions')
          .select(['id', 'status', 'created_at', 'results_dropped_at'])
          .where('id', '=', id)
          .executeTakeFirst();
        if (execution === undefined) return undefined;
        requireResults(execution);
        completed.add(organizationId, execution);
        return pageOf(known === undefined ? await find(trx, execution) : []);
      });
    },

    resultsAfter: async (organizationId, id, filter, { revision: wanted, ...page }) => {
      for (let attempt = 1; attempt <= settledAttempts; attempt += 1) {
        const { rows, before, after } = await postgres.reading(organizationId, async (trx) => {
          const readRun = () =>
            trx
              .selectFrom('executions')
              .select(['id', 'status', 'created_at', 'results_dropped_at', 'revision'])
              .where('id', '=', id)
              .executeTakeFirstOrThrow();
          const execution = await readRun();
          requireResults(execution);
          const found = await findResults(trx, execution, soughtBy(filter), page);
          // Each statement sees what was committed before it: only between two equal revisions nothing has changed places.
          const now = await readRun();
          // In the middle of an export too: a part must not look like the whole.
          requireResults(now);
          return { rows: found, before: execution.revision, after: now.revision };
        });
        if (before === after && before === (wanted ?? before)) {
          return { results: rows.map(resultView), last: rows.at(-1)?.position, revision: after };
        }
        if (wanted !== undefined) break;
      }
      throw new Refusal(
        'conflict',
        'Somebody matched records of this execution, or undid a match, while its results were read: try again.',
      );
    },

    fees: (organizationId, id) => postgres.reading(organizationId, (trx) => readFees(trx, id)),
    trend: trendQuery(postgres, cursors),
    report: (organizationId, id, options) => postgres.reading(organizationId, (trx) => readReport(trx, id, options)),
  };
};
