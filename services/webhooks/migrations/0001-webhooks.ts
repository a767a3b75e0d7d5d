import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table endpoints (
       id text primary key,
       organization_id text not null,
       url text not null,
       events text[] not null,
       description text,
       headers jsonb not null default '{}',
       status text not null check (status in ('active', 'paused', 'disabled')),
       disabled_reason text,
       -- AES-256-GCM, with the id of the key it was encrypted under.
       secret text not null,
       -- The number of the last event that was matched to this endpoint: gap-free, whatever becomes of the delivery.
       last_sequence bigint not null default 0,
       revision bigint not null default 1,
       created_at timestamptz not null,
       updated_at timestamptz not null);
     create index endpoints_newest on endpoints (organization_id, created_at desc, id desc);

     create table events (
       id text primary key,
       organization_id text not null,
       type text not null,
       -- The very bytes that are signed and sent, the same for every endpoint and attempt.
       body text not null,
       received_at timestamptz not null default now());

     create table deliveries (
       id text primary key,
       organization_id text not null,
       endpoint_id text not null references endpoints (id) on delete cascade,
       event_id text not null references events (id),
       event_type text not null,
       sequence bigint not null,
       status text not null check (status in ('pending', 'delivered', 'failed', 'held')),
       attempt_count int not null default 0,
       next_attempt_at timestamptz,
       next_reason text,
       claim_id text,
       claimed_until timestamptz,
       created_at timestamptz not null default now(),
       unique (endpoint_id, event_id),
       unique (endpoint_id, sequence));
     create index deliveries_newest on deliveries (endpoint_id, created_at desc, id desc);
     create index deliveries_due on deliveries (next_attempt_at) where status = 'pending';

     create table attempts (
       delivery_id text not null references deliveries (id) on delete cascade,
       organization_id text not null,
       position int not null,
       at timestamptz not null,
       status_code int,
       latency_ms int not null,
       response_body text,
       error text,
       primary key (delivery_id, position));`,
  );
  for (const table of ['endpoints', 'events', 'deliveries', 'attempts']) await ownedByOrganization(db, table);
};
