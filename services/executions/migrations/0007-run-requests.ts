import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** One row per job and due time: a request that comes twice finds its row. What became of it stays for as long as it may come again. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table run_requests (
       job_id text not null,
       organization_id text not null,
       due_at timestamptz(3) not null,
       state text not null default 'waiting' check (state in ('waiting', 'queued', 'skipped')),
       execution_id text,
       not_before timestamptz not null default now(),
       requested_at timestamptz not null default now(),
       primary key (job_id, due_at));
     create index run_requests_waiting on run_requests (not_before) where state = 'waiting';
     create index run_requests_time on run_requests (requested_at);`,
  );
  await ownedByOrganization(db, 'run_requests', { app: 'select, insert, update' });
};
