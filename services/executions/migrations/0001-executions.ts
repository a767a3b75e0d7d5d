import { ownedByOrganization, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table files (
       id text primary key,
       organization_id text not null,
       name text not null,
       content_type text not null,
       size bigint not null default 0,
       sha256 text,
       -- Only ready files are ever seen; what an interrupted upload left is swept.
       state text not null check (state in ('uploading', 'ready')),
       created_at timestamptz not null default now());
     create index files_newest on files (organization_id, created_at desc, id desc) where state = 'ready';
     create index files_unfinished on files (created_at) where state = 'uploading';

     create table file_chunks (
       file_id text not null references files (id) on delete cascade,
       organization_id text not null,
       position int not null,
       bytes bytea not null,
       primary key (file_id, position));
     -- Uploaded bytes rarely compress well enough to pay for it.
     alter table file_chunks alter column bytes set storage external;

     create table executions (
       id text primary key,
       organization_id text not null,
       job_id text not null,
       job_version int not null,
       -- The job as it was when the run was accepted, without secrets.
       definition jsonb not null,
       dry_run boolean not null,
       -- Runs that carry open items forward run one at a time per job.
       is_serial boolean not null,
       period_from date,
       period_to date,
       note text,
       file_ids text[] not null default '{}',
       status text not null check (status in ('queued', 'running', 'completed', 'failed', 'cancelled')),
       waiting_for text,
       revision bigint not null default 1,
       attempt int not null default 0,
       not_before timestamptz not null default now(),
       lease_owner text,
       lease_epoch int not null default 0,
       lease_until timestamptz,
       cancel_requested_at timestamptz,
       rung_at timestamptz not null default now(),
       progress jsonb not null,
       progress_sequence bigint not null default 1,
       problems jsonb not null default '[]',
       summary jsonb,
       report jsonb,
       -- What the readers counted, before matching: the certificate is held against it.
       control_totals jsonb,
       error jsonb,
       created_by_type text not null,
       created_by_id text not null,
       created_at timestamptz not null default now(),
       started_at timestamptz,
       completed_at timestamptz);
     create index executions_newest on executions (organization_id, created_at desc, id desc);
     create index executions_of_job on executions (job_id, created_at desc);
     create index executions_live on executions (lease_until) where status in ('queued', 'running');
     create unique index executions_one_serial_run on executions (job_id) where status = 'running' and is_serial;

     create table results (
       created_at timestamptz not null,
       id text not null,
       organization_id text not null,
       execution_id text not null,
       epoch int not null,
       position int not null,
       outcome text not null,
       pass text,
       cardinality text,
       score double precision,
       margin double precision,
       delta jsonb,
       category text,
       reason text,
       line int,
       conditions jsonb not null,
       source jsonb not null,
       target jsonb not null,
       amount_max numeric,
       search text not null,
       exception_id text,
       primary key (created_at, id)) partition by range (created_at);
     create index results_in_order on results (execution_id, position);

     -- One row per record, so that the certificate is a sum over what is stored and nothing else.
     create table result_records (
       created_at timestamptz not null,
       organization_id text not null,
       execution_id text not null,
       epoch int not null,
       side text not null,
       currency text not null,
       amount_minor numeric,
       outcome text not null,
       pass text,
       carried boolean not null) partition by range (created_at);
     create index result_records_of_execution on result_records (execution_id);

     create table exceptions (
       id text primary key,
       organization_id text not null,
       job_id text not null,
       execution_id text not null,
       record_key text not null,
       category text not null,
       severity text not null,
       status text not null check (status in ('open', 'in_progress', 'resolved', 'dismissed')),
       records jsonb not null,
       amount numeric,
       currency text,
       reason text,
       first_seen_at timestamptz not null,
       assignee_id text,
       resolution text,
       revision bigint not null default 1,
       created_at timestamptz not null,
       updated_at timestamptz not null);
     create unique index exceptions_one_open on exceptions (job_id, record_key) where status in ('open', 'in_progress');
     create index exceptions_newest on exceptions (organization_id, created_at desc, id desc);
     create index exceptions_of_execution on exceptions (execution_id);

     create table exception_history (
       exception_id text not null references exceptions (id) on delete cascade,
       organization_id text not null,
       position int not null,
       at timestamptz not null,
       actor_type text not null,
       actor_id text not null,
       action text not null,
       detail jsonb not null,
       primary key (exception_id, position));`,
  );
  for (const table of ['files', 'file_chunks', 'executions', 'exceptions', 'exception_history']) await ownedByOrganization(db, table);
  // The app reads results through the parents, where the policy stands. Writing is COPY, which no policy allows: the system
  // role writes into the month's partition, which has none and which only it may touch.
  await ownedByOrganization(db, 'results', { app: 'select' });
  await ownedByOrganization(db, 'result_records', { app: 'select' });
  // Partitions are made when their month begins, by whoever writes first: the system role may call this, and nothing else of DDL.
  await withRoles(
    db,
    `create function ensure_result_partitions(month date) returns void language plpgsql security definer set search_path = public as $$
     declare
       parent text;
       partition text;
       first date := date_trunc('month', month)::date;
     begin
       foreach parent in array array['results', 'result_records'] loop
         partition := parent || to_char(first, '_YYYY_MM');
         if to_regclass(partition) is null then
           perform pg_advisory_xact_lock(hashtext('result partitions'));
           execute format('create table if not exists %%I partition of %%I for values from (%%L) to (%%L)', partition, parent, first, (first + interval '1 month')::date);
           execute format('grant select, insert, update, delete on %%I to %%I', partition, %2$L);
         end if;
       end loop;
     end $$;
     revoke all on function ensure_result_partitions(date) from public;
     grant execute on function ensure_result_partitions(date) to %2$I;`,
  );
};
