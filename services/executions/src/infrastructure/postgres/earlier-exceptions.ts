/** Open exceptions of earlier runs that a run resolves: of their records it has found more than that they were alone or not what they should be. */
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import { exceptionBulkResolved, exceptionResolved } from '@settler/contracts/events/executions';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../application/ports.ts';
import { partition } from './partition.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;

/** Above this many, one event takes the place of all. */
const eventsMax = 1_000;

interface Resolved {
  readonly id: string;
  readonly revision: bigint;
}

/** Whoever has one of these has a counterpart, or an exception of its own about which one it is. */
const better = ['matched', 'mismatched', 'ambiguous'];

/**
 * Of open items, as the run has noted it of them. Records without ids that say the same share one exception, which stays while one of them
 * is alone.
 */
export const resolveMoved = (trx: Trx, held: HeldExecution): Promise<Resolved[]> =>
  resolve(
    trx,
    held,
    sql`
      select e.id, min(m.outcome) as outcome
        from open_item_moves m
        join exceptions e on e.job_id = ${held.jobId} and e.record_key = m.record_key and e.status in ('open', 'in_progress')
       where m.execution_id = ${held.id} and m.epoch = ${held.epoch}
       group by e.id
      having bool_and(m.outcome = any(${better}::text[]))`,
  );

/**
 * Of all others, by the results of the run; once exceptions are opened, so that each result that is the reason for one says so. An exception
 * goes when none of the results is the reason for it, all its records are in them and one of those has found something better. While one of its
 * records is not there, it is all that tells of that.
 */
export const resolveFound = async (trx: Trx, held: HeldExecution): Promise<Resolved[]> => {
  const { id, jobId, createdAt } = held;
  const recordsOf = (side: 'source' | 'target') => sql`
    select outcome, exception_id, ${side} as side, coalesce(record ->> 'id', record::text) as name
      from ${sql.table(partition('results', createdAt))} cross join jsonb_array_elements(${sql.ref(side)}) as r(record)
     where execution_id = ${id} and created_at = ${createdAt}`;
  // Just after a COPY nothing is known of the table: the planner would go through all results once for each exception. Where there are no
  // exceptions, nothing is hashed and no result is read.
  await sql`select set_config('enable_nestloop', 'off', true)`.execute(trx);
  const resolved = await resolve(
    trx,
    held,
    sql`
      with live as materialized (
        select id, record_key, records, jsonb_array_length(records) as size
          from exceptions e
         where job_id = ${jobId} and status in ('open', 'in_progress') and execution_id <> ${id}
           and not exists (select 1 from open_item_moves m where m.execution_id = ${id} and m.record_key = e.record_key)),
      -- Those of the source come first. On which side one in the middle is, it does not say.
      wanted as materialized (
        select id, size, place, coalesce(record ->> 'id', record::text) as name,
               case when place = 1 then substring(record_key from '^(?:invalid:[0-9]*:)?(source|target):')
                    when place = size and record_key like '%|target:%' then 'target' end as side
          from live cross join jsonb_array_elements(records) with ordinality as r(record, place))
      select w.id, min(outcome) filter (where outcome = any(${better}::text[])) as outcome
        from (${recordsOf('source')} union all ${recordsOf('target')}) f
        join wanted w on w.name = f.name and (w.side is null or w.side = f.side)
       group by w.id, size
      having count(distinct place) = size and bool_and(exception_id is distinct from w.id) and bool_or(outcome = any(${better}::text[]))`,
  );
  await sql`select set_config('enable_nestloop', 'on', true)`.execute(trx);
  return resolved;
};

const resolve = async (trx: Trx, { id, organizationId }: HeldExecution, met: RawBuilder<unknown>): Promise<Resolved[]> => {
  const { rows } = await sql<Resolved>`
    with resolved as (
      update exceptions e set status = 'resolved', resolution = 'matched_later', revision = e.revision + 1, updated_at = now()
        from (${met}) m
       where e.id = m.id
      returning e.id, e.revision, m.outcome),
    told as (
      insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
      select r.id, ${organizationId}, 1 + (select coalesce(max(position), 0) from exception_history h where h.exception_id = r.id),
             now(), 'system', 'system', 'resolved',
             jsonb_build_object('resolution', 'matched_later', 'executionId', ${id}::text, 'outcome', r.outcome)
        from resolved r)
    select id, revision from resolved order by id`.execute(trx);
  return rows;
};

export const resolvedMessages = (
  { organizationId, jobId, id: executionId }: HeldExecution,
  resolved: readonly Resolved[],
): OutboxMessage[] => {
  const resolution = 'matched_later' as const;
  if (resolved.length > eventsMax) {
    const link = `/v1/exceptions?jobId=${jobId}&status=resolved`;
    return [
      eventMessage(
        exceptionBulkResolved,
        { organizationId, aggregateId: executionId, aggregateVersion: 1 },
        { organizationId, jobId, executionId, resolution, count: resolved.length, link },
      ),
    ];
  }
  return resolved.map(({ id, revision }) =>
    eventMessage(
      exceptionResolved,
      { organizationId, aggregateId: id, aggregateVersion: Number(revision) },
      { exceptionId: id, organizationId, jobId, executionId, status: 'resolved', resolution },
    ),
  );
};
