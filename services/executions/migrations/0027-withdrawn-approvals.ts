import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Whoever has asked for something may withdraw it. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table approvals drop constraint approvals_status_check;
     alter table approvals add constraint approvals_status_check
       check (status in ('pending', 'approved', 'rejected', 'withdrawn'));`,
  );
};
