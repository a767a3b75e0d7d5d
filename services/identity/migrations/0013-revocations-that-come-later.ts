import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** When what is open with it ends: at once where null, and infinity where only what was known of it is no longer true. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table revocations add column ends_at timestamptz');
};
