/** Which exceptions a list or an act is about, in SQL. */
import { type SelectQueryBuilder, type SqlBool, sql } from 'kysely';
import type { ExceptionFilter } from '../../../application/queries.ts';
import { type AgeBucket, ageBuckets, ageBucketsFrom, escalationDays, type Severity, severities } from '../../../domain/exceptions.ts';
import { containing } from '../containing.ts';
import type { Database } from '../tables.ts';

// In the text and not as a parameter, so that lists have the same plan each time.
const inOrder = sql`array[${sql.join(severities.map((severity) => sql.lit(severity)))}]`;

/** As it is now: what nobody deals with weighs more the longer it waits, unless a person has said what it weighs. */
export const severityNow = sql<Severity>`
  case when severity_is_set or status not in ('open', 'in_progress') then severity
       else (${inOrder})[least(${sql.lit(severities.length)}, array_position(${inOrder}, severity)
              + ${sql.join(
                escalationDays.map((days) => sql`(first_seen_at <= now() - make_interval(days => ${sql.lit(days)}))::int`),
                sql` + `,
              )})] end`;

/** How long it has waited, in whole days. */
export const ageBucket = sql<AgeBucket>`
  (array[${sql.join(ageBuckets.map((bucket) => sql.lit(bucket)))}])[1 + ${sql.join(
    ageBucketsFrom.map((days) => sql`(extract(day from now() - first_seen_at) >= ${sql.lit(days)})::int`),
    sql` + `,
  )}]`;

type Query<Row> = SelectQueryBuilder<Database, 'exceptions', Row>;

export const matching = <Row>(query: Query<Row>, filter: ExceptionFilter): Query<Row> => {
  const { jobId, executionId, status, category, severity, resolution, assignee, currency, minAmount, q } = filter;
  let found = query;
  if (jobId !== undefined) found = found.where('job_id', '=', jobId);
  if (executionId !== undefined) found = found.where('execution_id', '=', executionId);
  if (status !== undefined) found = found.where('status', 'in', status);
  if (category !== undefined) found = found.where('category', '=', category);
  if (severity !== undefined) found = found.where(sql<SqlBool>`${severityNow} = ${severity}`);
  if (resolution !== undefined) found = found.where('resolution', '=', resolution);
  if (assignee !== undefined)
    found = assignee === 'none' ? found.where('assignee_id', 'is', null) : found.where('assignee_id', '=', assignee);
  if (currency !== undefined) found = found.where('currency', '=', currency);
  if (minAmount !== undefined) found = found.where(sql<SqlBool>`abs(amount) >= ${minAmount}::numeric`);
  if (q !== undefined) found = found.where('search', 'like', containing(q));
  return found;
};
