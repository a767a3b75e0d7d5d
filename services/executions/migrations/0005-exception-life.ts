import { ownedByOrganization, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table exception_comments (
       id text primary key,
       organization_id text not null,
       exception_id text not null references exceptions (id) on delete cascade,
       text text not null,
       created_by_type text not null,
       created_by_id text not null,
       created_at timestamptz(3) not null default now());
     create index exception_comments_in_order on exception_comments (exception_id, created_at, id);

     -- A severity that a person has set is no longer the rules' to decide.
     alter table exceptions add column severity_is_set boolean not null default false;
     -- What was decided about a record, for the runs that meet it again.
     create index exceptions_closed on exceptions (job_id, record_key, created_at desc) where status in ('resolved', 'dismissed');

     -- Settled by a person: it takes part in no more runs, and is known when it is delivered again.
     alter table open_items add column retired_at timestamptz;`,
  );
  await ownedByOrganization(db, 'exception_comments', { app: 'select, insert' });
  // What was said and done can only be added to.
  await withRoles(db, 'revoke update, delete on exception_history from %1$I');
};
