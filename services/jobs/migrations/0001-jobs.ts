import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table jobs (
       id text primary key,
       organization_id text not null,
       name text not null,
       description text,
       tags text[] not null default '{}',
       status text not null check (status in ('active', 'paused', 'archived')),
       version int not null check (version >= 1),
       revision bigint not null check (revision >= 1),
       created_at timestamptz not null,
       updated_at timestamptz not null);
     create index jobs_newest on jobs (organization_id, created_at desc, id desc);
     create index jobs_tags on jobs using gin (tags);

     -- Never updated: what an execution ran can be read for as long as the job exists.
     create table job_versions (
       job_id text not null references jobs (id),
       organization_id text not null,
       version int not null,
       source jsonb not null,
       target jsonb not null,
       rules jsonb not null,
       created_by_type text not null,
       created_by_id text not null,
       created_at timestamptz not null,
       primary key (job_id, version));

     -- A copy of what executions says, apart from the job, so that a run does not disturb a change that is being made to it.
     create table last_executions (
       job_id text primary key,
       organization_id text not null,
       execution_id text not null,
       revision bigint not null,
       created_at timestamptz not null,
       execution jsonb not null);`,
  );
  await ownedByOrganization(db, 'jobs', { app: 'select, insert, update' });
  await ownedByOrganization(db, 'job_versions', { app: 'select, insert' });
  await ownedByOrganization(db, 'last_executions', { app: 'select, insert, update' });
};
