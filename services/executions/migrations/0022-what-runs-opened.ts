import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Exceptions change after the run that has opened them is over; what it opened does not. Null of runs before this. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table executions add column opened jsonb;');
};
