/** Matches that were undone: rules bring none of their records together again, for as long as those say the same. */
import type { Postgres } from '@settler/chassis/postgres';
import { sql, type Transaction } from 'kysely';
import type { Separations } from '../../../application/ports.ts';
import type { Separated } from '../../../domain/matching/apart.ts';
import { keptIn } from '../../../domain/matching/reconcile.ts';
import { type Run, resultsById, type StoredResult } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

/** A group that the rules have made may have thousands of records. */
const pageRows = 50;
/** Of the newest ones an explanation takes in so many. */
const explainedMax = 1_000;

export const createSeparations = (postgres: Postgres<Database>): Separations => ({
  read: async function* ({ jobId }) {
    for (let after = ''; ; ) {
      const rows = await of(postgres.systemDb, jobId)
        .innerJoin('executions', 'executions.id', 'separations.execution_id')
        .select('executions.created_at')
        .where('separations.id', '>', after)
        .orderBy('separations.id')
        .limit(pageRows)
        .execute();
      const last = rows.at(-1);
      if (last === undefined) return;
      after = last.id;
      yield rows.map(({ created_at: createdAt, ...row }) => ({ ...row, runAt: createdAt.getTime() }));
    }
  },
});

const of = (db: Pick<Trx, 'selectFrom'>, jobId: string) =>
  db
    .selectFrom('separations')
    .select(['separations.id', 'source', 'target', 'may_differ as mayDiffer'])
    .where('separations.job_id', '=', jobId);

export const newestSeparations = (trx: Trx, jobId: string): Promise<readonly Separated[]> =>
  of(trx, jobId).orderBy('separations.created_at', 'desc').orderBy('separations.id', 'desc').limit(explainedMax).execute();

/** `id`: the match that was undone. */
export const separate = async (
  trx: Trx,
  run: Run,
  { id, source, target, mayDiffer }: Pick<StoredResult, 'id' | 'source' | 'target'> & { readonly mayDiffer: boolean },
  by: { readonly type: string; readonly id: string },
): Promise<void> => {
  await trx
    .insertInto('separations')
    .values({
      id,
      organization_id: run.organizationId,
      job_id: run.jobId,
      execution_id: run.id,
      source: JSON.stringify(source),
      target: JSON.stringify(target),
      may_differ: mayDiffer,
      created_by_type: by.type,
      created_by_id: by.id,
    })
    .execute();
};

/** Results that are undone by what was taken apart while the run was going on: `known` is what it was told of. */
export const undoneMeanwhile = async (trx: Trx, run: Run, known: readonly string[]): Promise<StoredResult[]> => {
  const rows = await of(trx, run.jobId)
    .clearSelect()
    .select('separations.id')
    .where(sql<boolean>`id <> all(${[...known]}::text[])`)
    .execute();
  if (rows.length === 0) return [];
  const late = rows.map(({ id }) => id);
  return resultsById(trx, run, [...(await broughtTogether(trx, run, late)), ...(await keeping(trx, run, late))]);
};

/** What the rules have brought together. */
const broughtTogether = async (trx: Trx, run: Run, late: readonly string[]): Promise<string[]> => {
  const { rows } = await sql<{ id: string }>`
    with late as (select id, source, target, may_differ from separations where id = any(${[...late]}::text[])),
    found as (
      select id, outcome, source, target from results
       where execution_id = ${run.id} and created_at = ${run.createdAt} and outcome in ('matched', 'mismatched') and manual is null),
    sources as (
      select distinct found.id, late.id as separation
        from found cross join jsonb_array_elements(found.source::jsonb) as f(record)
        join (late cross join jsonb_array_elements(late.source) as l(record)) on l.record = f.record),
    targets as (
      select distinct found.id, late.id as separation
        from found cross join jsonb_array_elements(found.target::jsonb) as f(record)
        join (late cross join jsonb_array_elements(late.target) as l(record)) on l.record = f.record)
    select distinct found.id from sources join targets using (id, separation) join found on found.id = sources.id
      join late on late.id = separation where found.outcome = 'matched' or not late.may_differ`.execute(trx);
  return rows.map(({ id }) => id);
};

/** Records that keep a match which is none any more, each alone: that of the run in which somebody took them apart, or of an older one. */
const keeping = async (trx: Trx, run: Run, late: readonly string[]): Promise<string[]> => {
  const { rows } = await sql<{ id: string; reason: string; apartAt: Date }>`
    with late as (
      select e.created_at, s.source, s.target from separations s join executions e on e.id = s.execution_id
       where s.id = any(${[...late]}::text[])),
    parted as (
      select created_at, 'source' as side, record from late cross join jsonb_array_elements(source) as r(record)
      union all select created_at, 'target', record from late cross join jsonb_array_elements(target) as r(record)),
    found as (
      select id, reason, case json_array_length(source::json) when 0 then 'target' else 'source' end as side,
             coalesce(source::jsonb -> 0, target::jsonb -> 0) as record
        from results
       where execution_id = ${run.id} and created_at = ${run.createdAt} and outcome = 'matched' and pass is null and manual is null)
    select id, reason, max(created_at) as "apartAt" from found join parted using (side, record) group by id, reason`.execute(trx);
  const keptBy = new Map(rows.map(({ id, reason }) => [id, keptIn(reason)]));
  const runs = await trx
    .selectFrom('executions')
    .select(['id', 'created_at'])
    .where(sql<boolean>`id = any(${[...new Set(keptBy.values())].filter((id) => id !== undefined)}::text[])`)
    .execute();
  const madeAt = new Map(runs.map(({ id, created_at: at }) => [id, at]));
  return rows.flatMap(({ id, apartAt }) => {
    const at = madeAt.get(keptBy.get(id) ?? '');
    return at !== undefined && at <= apartAt ? [id] : [];
  });
};
