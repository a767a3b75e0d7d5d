/** What a run makes of the open exceptions of earlier ones whose records it has found otherwise. */
import { eventMessage, type OutboxMessage } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { exceptionBulkResolved, exceptionResolved } from '@settler/contracts/events/executions';
import { carriesForward } from '@settler/contracts/rules';
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { HeldExecution, OpenExceptions, Seen } from '../../../application/ports.ts';
import type { Side } from '../../../domain/side.ts';
import { keyOfOne } from '../open-items/record-key.ts';
import { resultPartition } from '../results/partition.ts';
import { nameOf, recordsNamed, withoutLoops, withoutNumber } from '../results/records-by-name.ts';
import type { Database } from '../tables.ts';
import { underKeys } from '../under-keys.ts';
import { eventsMax } from './exception-messages.ts';
import { asTable, better, foundIn, type Met, type MetItems, noted } from './found-by-run.ts';

type Trx = Transaction<Database>;

/** Of more, nearly every result is one that somebody asks for. */
const watchedMax = 100_000;

export const createOpenExceptions = (postgres: Postgres<Database>): OpenExceptions => ({
  recordIds: async ({ jobId }) => {
    const { rows } = await sql<{ id: string | null }>`
      select distinct case when jsonb_typeof(record -> 'id') = 'string' or record ->> 'id' ~ '^-?[0-9]{1,15}$' then record ->> 'id' end as id
        from exceptions e cross join jsonb_array_elements(records) as record
       where job_id = ${jobId} and status in ('open', 'in_progress')
         and not exists (select 1 from open_items i where i.job_id = e.job_id and i.record_key = e.record_key)
      union
      select record ->> 'id' from open_items where job_id = ${jobId} and retired_at is not null and record ->> 'id' is not null
       limit ${watchedMax + 1}`.execute(postgres.systemDb);
    const ids = rows.flatMap(({ id }) => id ?? []);
    return ids.length < rows.length || ids.length > watchedMax ? undefined : ids;
  },
});

interface Resolved {
  readonly id: string;
  readonly revision: bigint;
}

export const metItems = async (trx: Trx, { id, epoch }: HeldExecution): Promise<MetItems> => {
  const rows = await trx
    .selectFrom('open_item_moves')
    .select(['record_key', 'outcome'])
    .where('execution_id', '=', id)
    .where('epoch', '=', epoch)
    .where('outcome', 'in', better)
    .execute();
  return new Map(rows.map(({ record_key: key, outcome }) => [key, String(outcome)]));
};

export const resolveMoved = async (trx: Trx, held: HeldExecution, met: MetItems): Promise<Resolved[]> => {
  const live = await underKeys(met.keys(), (isOneOf) =>
    trx
      .selectFrom('exceptions')
      .select(['id', 'record_key'])
      .where('job_id', '=', held.jobId)
      .where('status', 'in', ['open', 'in_progress'])
      .where(isOneOf)
      .execute(),
  );
  return resolve(trx, held, live.map(foundIn(met)));
};

/** Of an exception: one of its records has no id, and there may be others that say the same. */
const isAnonymous = sql`records @? '$[*] ? (!exists(@.id))'`;
/** Which of them it is about. */
const occurrenceIn = (key: RawBuilder<unknown>) => sql`coalesce(substring(${key} from '#([0-9]{1,9})$')::int, 1)`;

/**
 * `wanted`: the records of open exceptions. Those of the source come first, and on which side one in the middle is, an exception does not
 * say.
 */
const wantedOf = ({ id, jobId }: HeldExecution, which = sql`true`) => sql`
  live as materialized (
    select id, record_key, records, jsonb_array_length(records) as size
      from exceptions e
     where job_id = ${jobId} and status in ('open', 'in_progress') and execution_id <> ${id} and ${which}
       and not exists (select 1 from open_item_moves m where m.execution_id = ${id} and m.record_key = e.record_key)),
  wanted as materialized (
    select id, record_key, records, size, place, record, ${nameOf(sql`record`)} as name,
           case when place = 1 then substring(record_key from '^(?:invalid:[0-9]*:)?(source|target):')
                when place = size and record_key like '%|target:%' then 'target' end as side
      from live cross join jsonb_array_elements(records) with ordinality as r(record, place))`;

const wantedNames = async (trx: Trx, held: HeldExecution, which?: RawBuilder<unknown>): Promise<readonly string[]> => {
  const { rows } = await withoutLoops(trx, () =>
    sql<{ name: string }>`with ${wantedOf(held, which)} select distinct name from wanted`.execute(trx),
  );
  return rows.map(({ name }) => name);
};

/** Which results are looked at for these records: where they were seen, if they were all looked for, and else all of them. */
export const placesOf = (seen: Seen | undefined, names: readonly string[]): RawBuilder<unknown> => {
  if (seen === undefined || names.some((name) => !seen.ids.has(name))) return sql`true`;
  const wanted = new Set(names);
  const places = new Set(seen.sightings.flatMap(({ id, position }) => (wanted.has(id) ? [position] : [])));
  return sql`position = any(${[...places]}::int[])`;
};

/**
 * Those of several records that all stand alone now are about one of them from now on, the first that has none yet: the others have their own.
 * So are those of a record that can be read now. Before exceptions are opened, which then finds what the run says of it. Of pairs without ids
 * that say the same, as many as there are records alone, and the last ones: the others are still pairs.
 */
export const renameParted = async (trx: Trx, held: HeldExecution, seen: Seen | undefined): Promise<void> => {
  const { id, jobId, createdAt } = held;
  const several = sql`(jsonb_array_length(records) > 1 or record_key like 'invalid:%')`;
  const names = await wantedNames(trx, held, several);
  if (names.length === 0) return;
  const { rows } = await withoutLoops(trx, () =>
    sql<{ id: string; records: readonly { readonly side: Side; readonly record: unknown; readonly occurrence: number | null }[] }>`
      with ${wantedOf(held, several)},
      alone as materialized (
        select *, row_number() over (partition by side, name order by occurrence desc nulls last) as number
          from (select side, occurrence, ${nameOf(sql`record`)} as name
                  from (select occurrence, case json_array_length(source::json) when 0 then 'target' else 'source' end as side,
                               coalesce(source::json -> 0, target::json -> 0) as record
                          from ${sql.table(resultPartition(createdAt))}
                         where execution_id = ${id} and created_at = ${createdAt} and ${placesOf(seen, names)}
                           and outcome in ('missing_in_target', 'missing_in_source', 'duplicate')) r) named
         where name = any(${names}::text[])),
      parted as (
        select *, dense_rank() over (partition by ${withoutNumber(sql`record_key`)}, records order by ${occurrenceIn(sql`record_key`)} desc) as rank
          from wanted w where exists (select from alone a where a.name = w.name and (w.side is null or w.side = a.side)))
      select p.id, jsonb_agg(jsonb_build_object('side', a.side, 'record', record, 'occurrence', a.occurrence) order by place) as records
        from parted p
        join alone a on a.name = p.name and (p.side is null or p.side = a.side) and a.number = p.rank
       group by p.id, size
      having count(distinct place) = size
       order by p.id`.execute(trx),
  );
  const parted = rows.map((row) => ({
    id: row.id,
    keys: row.records.map(({ side, record, occurrence }) => keyOfOne(side, record, occurrence)),
  }));
  if (parted.length === 0) return;
  const { rows: live } = await sql<{ key: string }>`
    select record_key as key from exceptions
     where job_id = ${jobId} and status in ('open', 'in_progress') and record_key = any(${parted.flatMap(({ keys }) => keys)}::text[])`.execute(
    trx,
  );
  const taken = new Set(live.map(({ key }) => key));
  const renamed = new Map<string, string>();
  for (const one of parted) {
    const free = one.keys.find((key) => !taken.has(key) && !renamed.has(key));
    if (free !== undefined) renamed.set(free, one.id);
  }
  await sql`
    update exceptions e set record_key = r.key
      from unnest(${[...renamed.values()]}::text[], ${[...renamed.keys()]}::text[]) as r(id, key) where e.id = r.id`.execute(trx);
};

/**
 * Of all others, by the results of the run; once exceptions are opened, so that each result that is the reason for one says so. An exception
 * goes when none of the results is the reason for it, all its records are in them and one of those has found something better. While one of its
 * records is not there, it is all that tells of that.
 */
export const resolveFound = async (trx: Trx, held: HeldExecution, seen: Seen | undefined): Promise<Resolved[]> => {
  const names = await wantedNames(trx, held);
  // What is known by what it says is JSON, and an id hardly ever looks like it.
  const mayBeAnonymous = names.some((name) => name.startsWith('{'));
  const met = mayBeAnonymous
    ? [...(await foundNamed(trx, held, seen, sql`not ${isAnonymous}`)), ...(await foundAnonymous(trx, held))]
    : await foundNamed(trx, held, seen, sql`true`, names);
  return resolve(trx, held, met);
};

const foundNamed = async (
  trx: Trx,
  held: HeldExecution,
  seen: Seen | undefined,
  which: RawBuilder<unknown>,
  known?: readonly string[],
): Promise<readonly Met[]> => {
  const names = known ?? (await wantedNames(trx, held, which));
  // Then no result is read.
  if (names.length === 0) return [];
  const { rows } = await withoutLoops(trx, () =>
    sql<Met>`
      with ${wantedOf(held, which)}
      select w.id, min(outcome) filter (where outcome = any(${better}::text[])) as outcome
        from ${recordsNamed(held, names, placesOf(seen, names))} f
        join wanted w on w.name = f.name and (w.side is null or w.side = f.side)
       group by w.id, size
      having count(distinct place) = size and bool_and(exception_id is distinct from w.id) and bool_or(outcome = any(${better}::text[]))`.execute(
      trx,
    ),
  );
  return rows;
};

/**
 * Of exceptions that say the same, as many as the run has such records that none of them tells of, and the last ones: what is found again is told
 * by the first. Those that need somebody are counted before those that have found something better. What is in a match of before was told of
 * then. Where nothing is carried forward, each run has its records anew, and of more than it has, nothing has come.
 */
const foundAnonymous = async (trx: Trx, held: HeldExecution): Promise<readonly Met[]> => {
  const names = await wantedNames(trx, held, isAnonymous);
  if (names.length === 0) return [];
  const mayHaveCome = carriesForward(held.definition.rules)
    ? sql`true`
    : sql`${occurrenceIn(sql`record_key`)} <= case side when 'source' then sources when 'target' then targets else sources + targets end`;
  const { rows } = await withoutLoops(trx, () =>
    sql<Met>`
      with ${wantedOf(held, isAnonymous)},
      found as materialized (select * from ${recordsNamed(held, names, sql`true`)} f where name = any(${names}::text[])),
      told as materialized (
        select id, ${withoutNumber(sql`record_key`)} as about from exceptions
         where id = any(array(select exception_id from found where exception_id is not null))),
      counted as materialized (
        select name, count(*) filter (where side = 'source') as sources, count(*) filter (where side = 'target') as targets from found group by name),
      ranked as materialized (
        select *, dense_rank() over (partition by about, records order by ${occurrenceIn(sql`record_key`)} desc) as rank
          from (select *, ${withoutNumber(sql`record_key`)} as about from wanted) w join counted using (name)
         where id not in (select id from told) and ${mayHaveCome}),
      numbered as (
        select r.*, outcome, row_number() over (partition by about, r.side, f.side, name order by outcome = any(${better}::text[]), position) as number
          from found f join (select distinct about, side, name from ranked) r using (name)
         where (r.side is null or r.side = f.side) and (outcome <> 'matched' or pass is not null)
           and not exists (select from told t where t.id = f.exception_id and t.about = r.about))
      select w.id, min(outcome) filter (where outcome = any(${better}::text[])) as outcome
        from numbered n
        join ranked w on w.about = n.about and w.name = n.name and w.side is not distinct from n.side and w.rank = n.number
       group by w.id, size
      having count(distinct place) = size and bool_or(outcome = any(${better}::text[]))`.execute(trx),
  );
  return rows;
};

/** Whose record is an open item of before, in a job that carries nothing forward by now, is none any more. */
const resolve = async (trx: Trx, held: HeldExecution, met: readonly Met[]): Promise<Resolved[]> => {
  if (met.length === 0) return [];
  const { rows } = await sql<Resolved & { readonly key: string }>`
    with resolved as (
      update exceptions e set status = 'resolved', resolution = 'matched_later', revision = e.revision + 1, updated_at = now()
        from ${asTable(met)} where e.id = m.id
      returning e.id, e.revision, e.record_key, m.outcome),
    told as (
      ${noted('resolved', 'resolved', held, { resolution: 'matched_later' })})
    select id, revision, record_key as key from resolved order by id`.execute(trx);
  await underKeys(
    rows.map(({ key }) => key),
    (isOneOf) => trx.deleteFrom('open_items').where('job_id', '=', held.jobId).where(isOneOf).execute(),
  );
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
