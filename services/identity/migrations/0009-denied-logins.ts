import { statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Failed logins come into the audit trail, many as one entry, and what it says of addresses ends after a while. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Whose account it was, where there is one; and since when the trail has it.
     alter table login_failures add column user_id text;
     alter table login_failures add column said_at timestamptz;
     create index login_failures_unsaid on login_failures (position) where user_id is not null and said_at is null;
     create index audit_entries_with_address on audit_entries (at) where address is not null;`,
  );
  await withRoles(db, 'grant update (said_at) on login_failures to %2$I');
};
