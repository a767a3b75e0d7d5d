/** Deletes what has served its time, in small batches: ended sessions, counted failures, old revocations, old addresses in the trail. */
import type { Logger } from '@settler/chassis/logger';
import type { Postgres } from '@settler/chassis/postgres';
import { startRounds } from '@settler/chassis/rounds';
import { sql } from 'kysely';
import type { Database } from './tables.ts';

const everyMs = 10 * 60_000;
const batchRows = 5_000;

// Revocations are kept far longer than the access tokens that they speak of live: a gateway that starts learns them all.
const rules = [
  ['sessions', "expires_at < now() - interval '1 day'"],
  ['mails', "ended_at < now() - interval '7 days'"],
  ['password_resets', "expires_at < now() - interval '1 day'"],
  ['invitations', "expires_at < now() - interval '1 day'"],
  ['login_failures', "at < now() - interval '1 hour'"],
  ['known_addresses', "last_login_at < now() - interval '30 days'"],
  ['revocations', "at < now() - interval '1 day'"],
] as const;

const addressDays = 90;
/** The chain leaves addresses out, so they can go while the entries stay. */
const clearedAddresses = `update audit_entries set address = null where ctid = any(array(select ctid from audit_entries where address is not null and at < now() - interval '${addressDays} days' limit ${batchRows}))`;

export const startHousekeeping = (postgres: Postgres<Database>, logger: Logger) =>
  startRounds(everyMs, () => clean(postgres), logger, 'housekeeping is put off to the next round');

export const clean = async (postgres: Postgres<Database>): Promise<void> => {
  const deletions = rules.map(
    ([table, isOver]) => `delete from ${table} where ctid = any(array(select ctid from ${table} where ${isOver} limit ${batchRows}))`,
  );
  for (const batch of [...deletions, clearedAddresses]) {
    let affected = BigInt(batchRows);
    while (affected === BigInt(batchRows)) affected = (await sql.raw(batch).execute(postgres.systemDb)).numAffectedRows ?? 0n;
  }
};
