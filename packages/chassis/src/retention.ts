/** Deletes what has served its time, in small batches, so that no table of the machinery grows for ever. */
import { sql } from 'kysely';
import type { Logger } from './logger.ts';
import type { Postgres } from './postgres.ts';
import { startRounds } from './rounds.ts';
import type { ChassisTables } from './tables.ts';

const roundEveryMs = 10 * 60_000;
const batchRows = 5_000;

// The inbox outlives the streams (14 days): a message that the broker still has must still be known.
const rules = [
  ['outbox_sent', 'sent_at', '14 days'],
  ['inbox', 'received_at', '30 days'],
  ['inbox_attempts', 'updated_at', '30 days'],
  ['idempotency_keys', 'created_at', '25 hours'],
] as const;

export const startRetention = (postgres: Postgres<ChassisTables>, logger: Logger) => {
  const clean = async () => {
    for (const [table, column, age] of rules) {
      const batch = `delete from ${table} where ctid = any(array(select ctid from ${table} where ${column} < now() - interval '${age}' limit ${batchRows}))`;
      let deleted = BigInt(batchRows);
      while (deleted === BigInt(batchRows)) deleted = (await sql.raw(batch).execute(postgres.systemDb)).numAffectedRows ?? 0n;
    }
  };
  return startRounds(roundEveryMs, clean, logger, 'retention is put off to the next round');
};
