import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** A file may be deleted after the run that has read it; which one it was stays. Null of runs before this. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table executions add column if not exists inputs jsonb;');
};
