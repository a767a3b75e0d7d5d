import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table separations (
       -- The match that was undone.
       id text primary key,
       organization_id text not null,
       job_id text not null,
       execution_id text not null,
       -- Its records as they were: one that says something else by now is free.
       source jsonb not null,
       target jsonb not null,
       -- Whether the rules had found that they differ before somebody matched them: they may find so again.
       may_differ boolean not null,
       created_by_type text not null,
       created_by_id text not null,
       created_at timestamptz(3) not null default now());
     create index separations_of_job on separations (job_id, id);`,
  );
  await ownedByOrganization(db, 'separations', { app: 'select, insert', system: 'select' });
};
