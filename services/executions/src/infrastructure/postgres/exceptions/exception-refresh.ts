/** Open exceptions whose record has come in another version say what it says now: nobody should work on an amount that is gone. */
import { type Selectable, sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import { type Said, saysTheSame } from '../../../domain/exception-life.ts';
import { resultPartition } from '../results/partition.ts';
import { nameOf, withoutLoops } from '../results/records-by-name.ts';
import type { Database } from '../tables.ts';
import { lastPosition } from './exception-history.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['exceptions']>;
export type Live = Pick<Row, 'id' | 'record_key' | 'category' | 'reason' | 'records' | 'amount'>;

/** What a run found of a record. */
interface Found {
  readonly said: Said;
  readonly resultId: string;
  readonly row: Pick<Row, 'record_key' | 'category' | 'reason' | 'severity' | 'amount' | 'currency' | 'search'>;
}

export const liveOf = async (trx: Trx, jobId: string, recordKeys: readonly string[]): Promise<ReadonlyMap<string, Live>> => {
  if (recordKeys.length === 0) return new Map();
  const rows = await trx
    .selectFrom('exceptions')
    .select(['id', 'record_key', 'category', 'reason', 'records', 'amount'])
    .where('job_id', '=', jobId)
    .where('status', 'in', ['open', 'in_progress'])
    .where(sql<boolean>`record_key = any(${[...recordKeys]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.record_key, row]));
};

/**
 * Where results stand of what is not due yet and may be open all the same: it was in a pair that is parted, it was due as it was, or the rules
 * gave it less time.
 */
export const openThoughNotDue = async (trx: Trx, { id, jobId, createdAt, definition }: HeldExecution): Promise<readonly number[]> => {
  if (definition.rules.openItems?.expectWithin === undefined) return [];
  const { rows } = await withoutLoops(trx, () =>
    sql<{ position: number }>`
      with waiting as materialized (
        select position, ${nameOf(sql`record`)} as name
          from (select position, coalesce(source::json -> 0, target::json -> 0) as record from ${sql.table(resultPartition(createdAt))}
                 where execution_id = ${id} and created_at = ${createdAt} and due_on is not null) r),
      open as materialized (
        select distinct ${nameOf(sql`record`)} as name from exceptions cross join jsonb_array_elements(records) as r(record)
         where job_id = ${jobId} and status in ('open', 'in_progress') and record_key not like 'invalid:%')
      select position from waiting join open using (name)`.execute(trx),
  );
  return rows.map(({ position }) => position);
};

export const refreshChanged = async (
  trx: Trx,
  { id: executionId, organizationId }: Pick<HeldExecution, 'id' | 'organizationId'>,
  live: ReadonlyMap<string, Live>,
  found: readonly Found[],
): Promise<void> => {
  // Should two share a key, their exception is about the first of them.
  const firsts = new Map(found.toReversed().map((one) => [one.row.record_key, one]));
  const changed = [...firsts.values()].flatMap((one) => {
    const known = live.get(one.row.record_key);
    return known === undefined || one.said.records.length === 0 || saysTheSame(known, one.said) ? [] : [{ known, ...one }];
  });
  if (changed.length === 0) return;
  const column = <Value>(of: (one: (typeof changed)[number]) => Value): Value[] => changed.map(of);
  const details = column(({ known, row, resultId }) =>
    JSON.stringify({
      executionId,
      resultId,
      from: { category: known.category, amount: known.amount },
      to: { category: row.category, amount: row.amount },
    }),
  );
  await sql`
    with changed as (
      select * from unnest(
        ${column(({ known }) => known.id)}::text[], ${column(({ row }) => row.category)}::text[], ${column(({ row }) => row.reason)}::text[],
        ${column(({ row }) => row.severity)}::text[], ${column(({ said }) => JSON.stringify(said.records))}::jsonb[], ${column(({ row }) => row.amount)}::numeric[],
        ${column(({ row }) => row.currency)}::text[], ${column(({ row }) => row.search)}::text[], ${details}::jsonb[]
      ) as c(id, category, reason, severity, records, amount, currency, search, detail)),
    written as (
      update exceptions e
         set category = c.category, reason = c.reason, records = c.records, amount = c.amount, currency = c.currency, search = c.search,
             severity = case when e.severity_is_set then e.severity else c.severity end, revision = e.revision + 1, updated_at = now()
        from changed c where e.id = c.id
      returning e.id, c.detail)
    insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
    select id, ${organizationId}, 1 + ${lastPosition(sql`written.id`)},
           now(), 'system', 'system', 'record_changed', detail
      from written`.execute(trx);
};
