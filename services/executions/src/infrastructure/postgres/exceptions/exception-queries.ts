import { JsonText } from '@settler/chassis/json-text';
import { newestOfEach } from '@settler/chassis/newest-first';
import type { Cursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { ExceptionFilter, ExceptionView, ExecutionQueries } from '../../../application/queries.ts';
import { isMismatch, type Severity } from '../../../domain/exceptions.ts';
import { differenceOf } from '../../../domain/hand-match.ts';
import { sides } from '../../../domain/side.ts';
import { firstSideIn } from '../open-items/record-key.ts';
import type { Database } from '../tables.ts';
import { approvalView, pendingOf } from './approvals.ts';
import { matching, severityNow } from './exception-filter.ts';
import { openingLine } from './exception-history.ts';
import { takenIn } from './exception-stakes.ts';
import { commentColumns, commentView } from './exception-store.ts';
import { summarizeExceptions } from './exception-summary.ts';

/** The newest: nobody reads more at once. */
const historyMax = 1_000;
const dayMs = 24 * 60 * 60 * 1000;

const viewColumns = [
  ...(['id', 'job_id', 'execution_id', 'record_key', 'category', 'status', 'amount', 'currency', 'reason'] as const),
  ...(['first_seen_at', 'assignee_id', 'resolution', 'created_at', 'updated_at'] as const),
] satisfies readonly (keyof Database['exceptions'])[];

const viewed = (trx: Transaction<Database>) =>
  trx
    .selectFrom('exceptions')
    .select(viewColumns)
    .select([
      sql<string>`records::text`.as('records'),
      sql<number>`jsonb_array_length(records)`.as('size'),
      sql<Date>`now()`.as('now'),
      severityNow.as('severity_now'),
    ]);

type Viewed = Pick<Selectable<Database['exceptions']>, (typeof viewColumns)[number]> & {
  /** As they are stored. */
  readonly records: string;
  readonly size: number;
  readonly now: Date;
  readonly severity_now: Severity;
};

/** By the key, and read from the records only where there are several: most are of one, and a list is as fast as its JSON is left alone. */
const sidesOf = ({ record_key: key, category, records, size }: Viewed): Pick<ExceptionView, 'sides' | 'delta'> => {
  if (size < 2) return { sides: size === 0 ? [] : [firstSideIn(key)], delta: null };
  const taken = takenIn({ record_key: key, records: new JsonText(records).toJSON() as readonly unknown[] });
  return {
    sides: sides.flatMap((side) => taken[side].map(() => side)),
    delta: isMismatch(category) && sides.every((side) => taken[side].length > 0) ? differenceOf(taken) : null,
  };
};

const viewOf = (row: Viewed): ExceptionView => ({
  id: row.id,
  jobId: row.job_id,
  executionId: row.execution_id,
  category: row.category,
  severity: row.severity_now,
  status: row.status,
  records: new JsonText(row.records),
  ...sidesOf(row),
  amount: row.amount,
  currency: row.currency,
  reason: row.reason,
  firstSeenAt: row.first_seen_at.toISOString(),
  ageDays: Math.max(0, Math.floor((row.now.getTime() - row.first_seen_at.getTime()) / dayMs)),
  assigneeId: row.assignee_id,
  resolution: row.resolution,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** One list for each status, because the index has them in order of each. */
const ofEach = (trx: Transaction<Database>, filter: ExceptionFilter) =>
  filter.status === undefined
    ? [matching(viewed(trx), filter)]
    : filter.status.map((status) => matching(viewed(trx), { ...filter, status: [status] }));

export const exceptionQueries = (
  postgres: Postgres<Database>,
  cursors: Cursors,
): Pick<ExecutionQueries, 'exceptions' | 'exceptionSummary' | 'exception'> => ({
  exceptions: (organizationId, { limit, cursor, ...filter }) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      const { jobId, executionId, status, category, severity, resolution, assignee, currency, minAmount, q } = filter;
      const list = JSON.stringify([
        'exceptions',
        organizationId,
        jobId,
        executionId,
        status?.join(),
        category,
        severity,
        resolution,
        assignee,
        currency,
        minAmount,
        q,
      ]);
      return newestOfEach(ofEach(trx, filter), { cursors, list, limit, cursor }, viewOf);
    }),

  exceptionSummary: (organizationId, filter) => postgres.readingAtOnce(organizationId, (trx) => summarizeExceptions(trx, filter)),

  exception: (organizationId, id) =>
    postgres.readingAtOnce(organizationId, async (trx) => {
      // Sent together: none of them needs an answer of another.
      const [row, history, comments, pending] = await Promise.all([
        viewed(trx).select(['revision', 'result_id', 'former_exception_id']).where('id', '=', id).executeTakeFirst(),
        trx
          .selectFrom('exception_history')
          .select(['at', 'actor_type', 'actor_id', 'action', 'detail'])
          .where('exception_id', '=', id)
          .orderBy('position', 'desc')
          .limit(historyMax)
          .execute(),
        trx
          .selectFrom('exception_comments')
          .select(commentColumns)
          .where('exception_id', '=', id)
          .orderBy('created_at')
          .orderBy('id')
          .execute(),
        pendingOf(trx, id),
      ]);
      if (row === undefined) return undefined;
      const lines = [...openingLine(row), ...history.toReversed()].slice(-historyMax);
      const entries = lines.map((entry) => ({
        at: entry.at.toISOString(),
        actor: { type: entry.actor_type, id: entry.actor_id },
        action: entry.action,
        detail: entry.detail,
      }));
      const pendingApproval = pending === undefined ? null : approvalView(pending);
      return { view: { ...viewOf(row), comments: comments.map(commentView), history: entries, pendingApproval }, revision: row.revision };
    }),
});
