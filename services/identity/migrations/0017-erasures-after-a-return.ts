import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Who has come back while an erasure goes on is erased by another one: the first would be completed without what came since. That each
 * covers something of its own is seen to under the lock of the organization.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'drop index if exists erasures_one_at_a_time');
};
