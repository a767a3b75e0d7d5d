/** What people have decided of records that a run has found a counterpart of all the same. */
import { carriesForward } from '@settler/contracts/rules';
import { sql, type Transaction } from 'kysely';
import type { HeldExecution, Seen } from '../../../application/ports.ts';
import { isClosed } from '../../../domain/exception-life.ts';
import { nameOf, recordsNamed, withoutLoops } from '../results/records-by-name.ts';
import type { Database } from '../tables.ts';
import { underKeys } from '../under-keys.ts';
import { placesOf } from './earlier-exceptions.ts';
import { asTable, better, foundIn, type MetItems, noted } from './found-by-run.ts';

type Trx = Transaction<Database>;

/**
 * What a person has decided stays decided, also where the run has found a counterpart of the record: it was late and has come, or it was written
 * off while the run was going on. That is told where the decision stands, or only the run would know that there is something to take back. Once
 * matches by hand are settled: what is an open item by then, retired or not, has met nobody.
 */
export const tellDecided = async (trx: Trx, held: HeldExecution, met: MetItems): Promise<void> => {
  const { jobId } = held;
  const items = await underKeys(met.keys(), (isOneOf) =>
    trx.selectFrom('open_items').select('record_key').where('job_id', '=', jobId).where(isOneOf).execute(),
  );
  const isItem = new Set(items.map(({ record_key: key }) => key));
  const settled = [...met.keys()].filter((key) => !isItem.has(key));
  await tell(trx, held, await decidedOf(trx, jobId, settled), met);
};

/**
 * So it is of what was settled before the run, which was not given it and has noted nothing of it: it was delivered once more, and has met
 * somebody. Told once: it stays settled, for when it is left over again. Of those that have no id nobody knows which of them that say the same
 * it is.
 */
export const tellSettled = async (trx: Trx, held: HeldExecution, seen: Seen | undefined): Promise<void> => {
  const { id, jobId, definition } = held;
  if (!carriesForward(definition.rules)) return;
  const retired = sql`
    retired as materialized (
      select side, record_key as key, ${nameOf(sql`record`)} as name from open_items o
       where job_id = ${jobId} and retired_at is not null and record ->> 'id' is not null
         and not exists (select from open_item_moves m where m.execution_id = ${id} and m.identity = o.identity))`;
  const { rows: wanted } = await sql<{ name: string }>`with ${retired} select distinct name from retired`.execute(trx);
  if (wanted.length === 0) return;
  const names = wanted.map(({ name }) => name);
  const { rows } = await withoutLoops(trx, () =>
    sql<{ key: string; outcome: string }>`
      with ${retired}
      select key, min(outcome) as outcome
        from ${recordsNamed(held, names, placesOf(seen, names))} f join retired using (side, name)
       where outcome = any(${[...better]}::text[])
       group by key`.execute(trx),
  );
  const met = new Map(rows.map(({ key, outcome }) => [key, outcome]));
  const decided = (await decidedOf(trx, jobId, [...met.keys()])).filter(({ resolution }) => resolution !== 'matched_manually');
  const { rows: told } = await sql<{ id: string; outcome: string }>`
    select exception_id as id, detail ->> 'outcome' as outcome from exception_history
     where exception_id = any(${decided.map(({ id: about }) => about)}::text[]) and action = 'found_by_run'`.execute(trx);
  const isTold = new Set(told.map(({ id: about, outcome }) => `${about} ${outcome}`));
  await tell(
    trx,
    held,
    decided.filter(({ id: about, record_key: key }) => !isTold.has(`${about} ${met.get(key)}`)),
    met,
  );
};

/** The newest exception of each record, where a person has closed it. */
const decidedOf = async (trx: Trx, jobId: string, keys: readonly string[]) => {
  const newest = await underKeys(keys, (isOneOf) =>
    trx
      .selectFrom('exceptions')
      .distinctOn('record_key')
      .select(['id', 'record_key', 'status', 'resolution'])
      .where('job_id', '=', jobId)
      .where(isOneOf)
      .orderBy('record_key')
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .execute(),
  );
  return newest.filter(({ status, resolution }) => isClosed(status) && resolution !== 'matched_later');
};

const tell = async (
  trx: Trx,
  held: HeldExecution,
  decided: readonly { readonly id: string; readonly record_key: string }[],
  met: MetItems,
): Promise<void> => {
  if (decided.length === 0) return;
  await sql`
    with told as (
      update exceptions e set revision = e.revision + 1, updated_at = now()
        from ${asTable(decided.map(foundIn(met)))} where e.id = m.id
      returning e.id, m.outcome)
    ${noted('told', 'found_by_run', held)}`.execute(trx);
};
