import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table approvals (
       id text primary key,
       organization_id text not null,
       job_id text not null,
       execution_id text not null,
       exception_id text references exceptions (id) on delete cascade,
       kind text not null check (kind in ('resolve', 'match')),
       -- What is done once it is approved, and what the exception said when it was asked for.
       request jsonb not null,
       said jsonb,
       amount numeric,
       currency text,
       status text not null default 'pending' check (status in ('pending', 'approved', 'rejected')),
       requested_by_type text not null,
       requested_by_id text not null,
       requested_person_id text,
       requested_at timestamptz(3) not null default now(),
       decided_by_type text,
       decided_by_id text,
       decided_at timestamptz(3),
       decision_note text,
       -- The match that was made.
       result_id text,
       revision bigint not null default 1);
     create unique index approvals_one_pending on approvals (exception_id) where status = 'pending';
     create index approvals_newest on approvals (organization_id, requested_at desc, id desc);
     create index approvals_pending on approvals (execution_id) where status = 'pending';

     alter table matches add column approved_by_type text;
     alter table matches add column approved_by_id text;`,
  );
  await ownedByOrganization(db, 'approvals', { app: 'select, insert, update' });
};
