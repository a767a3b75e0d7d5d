/** Open items as they are stored: read by the next run of their job, changed by the end of each. */
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { exceptionBulkResolved, exceptionResolved } from '@settler/contracts/events/executions';
import { sql, type Transaction } from 'kysely';
import type { HeldExecution, OpenItem, OpenItems } from '../../application/ports.ts';
import { settlingOutcomes } from '../../domain/open-items.ts';
import { resultPartition } from './partition.ts';
import { keyLengthMax } from './record-key.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;

const pageRows = 5_000;
/** Above this many, one event takes the place of all. */
const eventsMax = 1_000;

export const createOpenItemStore = (postgres: Postgres<Database>): OpenItems => ({
  read: async function* ({ jobId, definition }) {
    const { maxAgeDays } = definition.rules.openItems ?? {};
    for (let after = ''; ; ) {
      let query = postgres.systemDb
        .selectFrom('open_items')
        .select(['identity', 'occurrence', 'side', 'record'])
        .where('job_id', '=', jobId)
        .where('retired_at', 'is', null)
        .where('identity', '>', after);
      if (maxAgeDays !== undefined) query = query.where('first_seen_at', '>=', sql<Date>`now() - make_interval(days => ${maxAgeDays})`);
      const items = await query.orderBy('identity').limit(pageRows).execute();
      const last = items.at(-1);
      if (last === undefined) return;
      after = last.identity;
      yield items as readonly OpenItem[];
    }
  },
});

/**
 * A person who settles a record and a run that ends reach for the same exceptions and items, in different orders: they never do so at
 * the same time. People among themselves may, because each exception is locked by its row.
 */
export const lockOpenItems = async (trx: Trx, jobId: string, why: 'to change one' | 'to settle all'): Promise<void> => {
  const lock = sql.raw(why === 'to settle all' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared');
  await sql`select ${lock}(hashtextextended(${`open items of ${jobId}`}, 0))`.execute(trx);
};

/** Kept where it is retired, and not deleted: a run that is going on has read it, and would bring it back. */
export const setRetired = async (trx: Trx, jobId: string, recordKeys: readonly string[], isRetired: boolean): Promise<void> => {
  await trx
    .updateTable('open_items')
    .set({ retired_at: isRetired ? sql<Date>`now()` : null })
    .where('job_id', '=', jobId)
    .where('record_key', 'in', [...recordKeys])
    .execute();
};

/** When the records behind these exceptions were first seen, where they are open items. */
export const firstSeenOf = async (trx: Trx, jobId: string, recordKeys: readonly string[]): Promise<ReadonlyMap<string, Date>> => {
  const rows = await trx
    .selectFrom('open_items')
    .select(['record_key', sql<Date>`min(first_seen_at)`.as('at')])
    .where('job_id', '=', jobId)
    .where('record_key', 'in', [...recordKeys])
    .groupBy('record_key')
    .execute();
  return new Map(rows.map(({ record_key: key, at }) => [key, at]));
};

export interface Applied {
  /** Exceptions whose counterpart has come. */
  readonly resolved: number;
  readonly messages: readonly OutboxMessage[];
}

/** Applies what the run has noted of open items, and resolves the exceptions of those that have met their counterpart. */
export const applyMoves = async (trx: Trx, held: HeldExecution): Promise<Applied> => {
  const { id, jobId, organizationId, epoch } = held;
  const settling = [...settlingOutcomes];
  await lockOpenItems(trx, jobId, 'to settle all');
  await sql`
    delete from open_items o using open_item_moves m
     where m.execution_id = ${id} and m.epoch = ${epoch} and m.outcome = any(${settling}::text[])
       and o.job_id = ${jobId} and o.identity = m.identity`.execute(trx);
  // What was not seen this time stays; what is still open keeps its first day, and says what its newest version says. What a person has
  // settled stays so for as long as it says the same.
  await sql`
    insert into open_items as o (job_id, identity, organization_id, side, occurrence, record, record_key, first_execution_id, first_seen_at)
    select ${jobId}, identity, ${organizationId}, side, occurrence, record, record_key, ${id}, now() from open_item_moves
     where execution_id = ${id} and epoch = ${epoch} and outcome <> all(${settling}::text[])
    on conflict (job_id, identity) do update
      set record = excluded.record, record_key = excluded.record_key,
          retired_at = case when o.retired_at is not null and o.record::jsonb = excluded.record::jsonb then o.retired_at end`.execute(trx);
  const resolved = [...(await resolveMatched(trx, held, metIn(held))), ...(await resolveMatched(trx, held, correctedIn(held)))];
  await trx.deleteFrom('open_item_moves').where('execution_id', '=', id).execute();
  return { resolved: resolved.length, messages: messagesFor(held, resolved) };
};

interface Resolved {
  readonly id: string;
  readonly revision: bigint;
}

/** Open items that have met their counterpart. */
const metIn = ({ id, epoch }: HeldExecution) => sql`
  select distinct record_key, outcome from open_item_moves
   where execution_id = ${id} and epoch = ${epoch} and outcome in ('matched', 'mismatched')`;

/** Pairs that differed in an earlier run and match in this one. Without such a difference no result is looked at. */
const correctedIn = ({ id, jobId, createdAt }: HeldExecution) => sql`
  select distinct r.key as record_key, 'matched' as outcome
    from (select left('source:' || (source->0->>'id') || '|target:' || (target->0->>'id'), ${keyLengthMax}) as key
            from ${sql.table(resultPartition(createdAt))}
           where execution_id = ${id} and created_at = ${createdAt} and outcome = 'matched'
             and json_array_length(source) = 1 and json_array_length(target) = 1
             and exists (select 1 from exceptions where job_id = ${jobId} and status in ('open', 'in_progress') and category like '%\\_mismatch')) r`;

const resolveMatched = async (
  trx: Trx,
  { id, jobId, organizationId }: HeldExecution,
  matched: ReturnType<typeof metIn>,
): Promise<Resolved[]> => {
  const { rows } = await sql<Resolved>`
    with met as (
      update exceptions e set status = 'resolved', resolution = 'matched_later', revision = e.revision + 1, updated_at = now()
        from (${matched}) m
       where e.job_id = ${jobId} and e.record_key = m.record_key and e.status in ('open', 'in_progress')
      returning e.id, e.revision, m.outcome),
    told as (
      insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
      select met.id, ${organizationId}, 1 + (select coalesce(max(position), 0) from exception_history h where h.exception_id = met.id),
             now(), 'system', 'system', 'resolved',
             jsonb_build_object('resolution', 'matched_later', 'executionId', ${id}::text, 'outcome', met.outcome)
        from met)
    select id, revision from met order by id`.execute(trx);
  return rows;
};

const messagesFor = ({ organizationId, jobId, id: executionId }: HeldExecution, resolved: readonly Resolved[]): OutboxMessage[] => {
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
