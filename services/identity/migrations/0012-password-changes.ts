import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Since when the password is the one that it is, where it was ever another: a mail that was ordered before must not undo that. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table users add column password_changed_at timestamptz');
};
