/** Open items as they are stored: read by the next run of their job, changed by the end of each. */
import { isLockTimeout } from '@settler/chassis/database-errors';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import { becauseOf } from '@settler/contracts/internal/away';
import { sql, type Transaction } from 'kysely';
import type { HeldExecution, OpenItem, OpenItems } from '../../../application/ports.ts';
import { settlingOutcomes } from '../../../domain/open-items.ts';
import type { Database } from '../tables.ts';

type Trx = Transaction<Database>;

const pageRows = 5_000;

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

/** Less than the gateway waits for the routes that do so: whoever is told to ask again must not find later that it was done. */
const waitMsOfPeople = { 'to change one': 8_000, 'to settle all': 25_000 } as const;

/**
 * A person who settles a record and a run that ends reach for the same exceptions and items, in different orders: they never do so at
 * the same time. People among themselves may, because each exception is locked by its row.
 * @throws Refusal `upstream_unavailable` where it takes longer than `waitMs`; 0 waits for as long as it takes
 */
export const lockOpenItems = async (
  trx: Trx,
  jobId: string,
  why: keyof typeof waitMsOfPeople,
  waitMs: number = waitMsOfPeople[why],
): Promise<void> => {
  const lock = sql.raw(why === 'to settle all' ? 'pg_advisory_xact_lock' : 'pg_advisory_xact_lock_shared');
  try {
    await sql`
      select set_config('lock_timeout', ${`${waitMs}`}, true), ${lock}(hashtextextended(${`open items of ${jobId}`}, 0)),
             set_config('lock_timeout', '0', true)`.execute(trx);
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    throw new Refusal('upstream_unavailable', 'A run of this job is being ended. Nothing was done: ask again in a moment.', {
      retryAfterSeconds: 5,
      headers: becauseOf('contention'),
      cause: error,
    });
  }
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

/** Applies what the run has noted of open items. */
export const applyMoves = async (trx: Trx, { id, jobId, organizationId, epoch }: HeldExecution): Promise<void> => {
  const settling = [...settlingOutcomes];
  await lockOpenItems(trx, jobId, 'to settle all', 0);
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
};
