import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Of a match that had a competitor: who came next. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table results add column if not exists runner_up jsonb;');
};
