import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** The hash of an entry has its time in milliseconds: what the column could say besides, somebody could change without being found. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table audit_entries alter column at type timestamptz(3);');
};
