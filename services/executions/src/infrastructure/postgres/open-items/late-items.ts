/**
 * Open items that came to be while a run was going on, because a match was undone, or an exception reopened. The run was not given them: where
 * it has their records all the same, as they were or in a new version, it knows nothing of an item that it settles, and the item would find
 * its record a second counterpart in the next run.
 */
import { carriesForward } from '@settler/contracts/rules';
import { sql, type Transaction } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import { settlingOutcomes } from '../../../domain/open-items.ts';
import { nameOf, recordsNamed, withoutLoops } from '../results/records-by-name.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

/** Once those that it was given are moved, and before what somebody took apart meanwhile is open again. */
export const settleLateItems = async (trx: Trx, held: HeldExecution): Promise<void> => {
  if (!carriesForward(held.definition.rules)) return;
  const { rows } = await withoutLoops(trx, () => sql<{ name: string }>`with ${lateOf(held)} select distinct name from late`.execute(trx));
  if (rows.length === 0) return;
  const names = rows.map(({ name }) => name);
  await withoutLoops(trx, () =>
    sql`
      with ${lateOf(held)},
      found as materialized (
        select distinct side, name from ${recordsNamed(held, names, sql`true`)} f where outcome = any(${[...settlingOutcomes]}::text[]))
      delete from open_items o using late l join found using (side, name)
       where o.job_id = ${held.jobId} and o.identity = l.identity`.execute(trx),
  );
};

/**
 * What the run has found of an item that it was given it has noted, whichever it was. By when they came to be they are not known: whoever has
 * undone a match may have begun to before the run was made. Not those that are too old to be given: they would be looked for in every run.
 */
const lateOf = ({ id, jobId, epoch, definition }: HeldExecution) => {
  const { maxAgeDays } = definition.rules.openItems ?? {};
  const isYoung = maxAgeDays === undefined ? sql`true` : sql`first_seen_at >= now() - make_interval(days => ${maxAgeDays})`;
  return sql`
    late as materialized (
      select identity, side, ${nameOf(sql`record`)} as name from open_items o
       where job_id = ${jobId} and retired_at is null and first_execution_id <> ${id} and ${isYoung}
         and not exists (select from open_item_moves m where m.execution_id = ${id} and m.epoch = ${epoch} and m.identity = o.identity))`;
};
