import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** The user who answers for a key: who created it, or who answers for the key that did. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table api_keys add column owner_id text');
};
