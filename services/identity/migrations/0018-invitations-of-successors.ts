import { withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** A key that is rotated leaves the invitations that it has made to the one that takes its place. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await withRoles(db, 'grant update (invited_by_id) on invitations to %1$I');
};
