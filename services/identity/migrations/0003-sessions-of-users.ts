import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Users see and end their sessions, in pages that end at an instant of milliseconds, and sessions end for more reasons. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table sessions alter column created_at type timestamptz(3);
     create index sessions_of_user on sessions (user_id, created_at desc, id desc);
     alter table sessions drop constraint sessions_end_reason_check;
     alter table sessions add constraint sessions_end_reason_check
       check (end_reason in ('logout', 'reuse', 'revoked', 'password', 'membership'));`,
  );
};
