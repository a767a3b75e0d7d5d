/** What migrations of every service share: row-level security for a table, and the chassis' own tables. */
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Execute statements that name the service's roles: `%1$I` is the _app role, `%2$I` the _system role. */
export const withRoles = async (db: Kysely<unknown>, statement: string): Promise<void> => {
  const { rows } = await sql<{ text: string }>`
    select format(${sql.lit(statement)}, current_setting('settler.app_role'), current_setting('settler.system_role')) as text`.execute(db);
  for (const row of rows) await sql.raw(row.text).execute(db);
};

export interface TableAccess {
  /** What the _app role may do, besides what the policy allows. */
  readonly app?: string;
  readonly system?: string;
}

/**
 * Makes a table the organization's own: the owner is bound by the policies too (FORCE), _app sees and writes only rows of the
 * organization that its transaction names, and none where it names none; _system passes by a policy of its own, because
 * managed PostgreSQL gives nobody BYPASSRLS.
 */
export const ownedByOrganization = async (db: Kysely<unknown>, table: string, access: TableAccess = {}): Promise<void> => {
  const mine = `organization_id = nullif(current_setting('app.organization_id', true), '')`;
  const quoted = mine.replaceAll('%', '%%');
  await withRoles(
    db,
    `alter table ${table} enable row level security;
     alter table ${table} force row level security;
     create policy organization_only on ${table} to %1$I using (${quoted}) with check (${quoted});
     create policy whole_system on ${table} to %2$I using (true) with check (true);
     grant ${access.app ?? 'select, insert, update, delete'} on ${table} to %1$I;
     grant ${access.system ?? 'select, insert, update, delete'} on ${table} to %2$I;`,
  );
};

/** A table that belongs to no organization: no policies, and only the rights that are named. */
export const ownedByService = async (db: Kysely<unknown>, table: string, access: TableAccess): Promise<void> => {
  if (access.app !== undefined) await withRoles(db, `grant ${access.app} on ${table} to %1$I`);
  if (access.system !== undefined) await withRoles(db, `grant ${access.system} on ${table} to %2$I`);
};

/** Runs several statements as they stand. */
export const statements = async (db: Kysely<unknown>, text: string): Promise<void> => {
  await sql.raw(text).execute(db);
};

/** Run before the service's own migrations, under names that sort first. */
export const chassisMigrations: Readonly<Record<string, Migration>> = {
  '0000-chassis': {
    up: async (db) => {
      await statements(
        db,
        `create table outbox (
           position bigint generated always as identity primary key,
           event_id text not null unique,
           organization_id text not null,
           subject text not null,
           aggregate_id text not null,
           priority smallint not null default 0,
           body text not null,
           attempts int not null default 0,
           created_at timestamptz not null default now(),
           -- What an event may carry: consumers hold many at a time, and a broker is no place for files.
           constraint outbox_body_bytes_max check (octet_length(body) <= 65536 + 4096));
         create index outbox_order on outbox (priority desc, position);
         create table outbox_sent (
           position bigint not null,
           event_id text primary key,
           organization_id text not null,
           subject text not null,
           aggregate_id text not null,
           body text not null,
           stream_sequence bigint not null,
           sent_at timestamptz not null default now());
         create index outbox_sent_time on outbox_sent (sent_at);
         create table outbox_quarantine (
           event_id text primary key,
           organization_id text not null,
           subject text not null,
           aggregate_id text not null,
           body text not null,
           reason text not null,
           quarantined_at timestamptz not null default now());
         create table relay_lease (name text primary key, owner text, epoch bigint not null default 0, held_until timestamptz);
         insert into relay_lease (name) values ('outbox');
         create table inbox (
           consumer text not null,
           event_id text not null,
           organization_id text not null,
           received_at timestamptz not null default now(),
           primary key (consumer, event_id));
         create index inbox_time on inbox (received_at);
         create table inbox_attempts (
           consumer text not null,
           event_id text not null,
           attempts int not null,
           last_error text,
           updated_at timestamptz not null default now(),
           primary key (consumer, event_id));
         create table dead_letters (
           consumer text not null,
           event_id text not null,
           organization_id text not null,
           subject text not null,
           body text not null,
           attempts int not null,
           error text not null,
           dead_at timestamptz not null default now(),
           primary key (consumer, event_id));
         create table idempotency_keys (
           organization_id text not null,
           scope text not null,
           key text not null,
           fingerprint text not null,
           status int,
           headers text,
           body text,
           claimed_until timestamptz,
           created_at timestamptz not null default now(),
           primary key (organization_id, scope, key));
         create index idempotency_keys_time on idempotency_keys (created_at);`,
      );
      await ownedByOrganization(db, 'outbox', { app: 'select, insert' });
      await ownedByOrganization(db, 'inbox', { app: 'select, insert' });
      await ownedByOrganization(db, 'idempotency_keys');
      for (const table of ['outbox_sent', 'outbox_quarantine', 'relay_lease', 'inbox_attempts', 'dead_letters']) {
        await ownedByService(db, table, { system: 'select, insert, update, delete' });
      }
    },
  },
  '0000-chassis-replays': {
    up: async (db) => {
      await statements(
        db,
        `alter table dead_letters add column replay_requested_at timestamptz;
         create index dead_letters_replays on dead_letters (consumer, replay_requested_at) where replay_requested_at is not null;`,
      );
    },
  },
  '0000-chassis-turns': {
    up: async (db) => {
      await statements(
        db,
        `-- A column, because an index on an expression is of no use to whoever is bound by policies: 8 s in place of 50 ms.
         alter table outbox add column stream text not null generated always as (split_part(subject, '.', 1)) stored;
         create index outbox_turns on outbox (stream, organization_id, priority desc, position);
         drop index outbox_order;
         -- Up to rows_max rows, for each stream that is not shut and each organization in turn. It goes from one organization to the next by
         -- the index and reads of each what it may send, however much is there. Those of a stream begin after the one given for it;
         -- goes_on marks the last that fits. The planner, which may have seen the table empty last, has no choice of its own.
         create function next_outbox_rows(shut text[], streams_begun text[], begun_after text[], rows_max int)
         returns table (stream text, goes_on boolean, "position" bigint, event_id text, organization_id text, subject text,
                        aggregate_id text, body text, attempts int)
         language sql stable set enable_seqscan = off set enable_bitmapscan = off as $$
           with recursive streams as (
             (select o.stream from outbox o order by 1 limit 1)
             union all
             select (select o.stream from outbox o where o.stream > s.stream order by 1 limit 1)
               from streams s where s.stream is not null),
           opened as materialized (
             select s.stream, coalesce(b.after, '') as after, rows_max / count(*) over () as places
               from streams s left join unnest(streams_begun, begun_after) b (stream, after) using (stream)
              where s.stream is not null and s.stream <> all(shut)),
           turns as (
             select s.stream, s.places, next.organization_id, 1 as place
               from opened s
              cross join lateral (select o.organization_id from outbox o
                                   where o.stream = s.stream and o.organization_id > s.after order by 1 limit 1) next
             union all
             select t.stream, t.places, next.organization_id, t.place + 1
               from turns t
              cross join lateral (select o.organization_id from outbox o
                                   where o.stream = t.stream and o.organization_id > t.organization_id order by 1 limit 1) next
              where t.place < t.places),
           -- What each may send, and what some of them leave of that to those with more.
           share as materialized (select rows_max / greatest(1, count(*))::int as rows from turns),
           fair as materialized (
             select t.stream, t.place = t.places as goes_on, t.organization_id, next.*,
                    row_number() over (partition by t.stream, t.organization_id order by next.priority desc, next.position) as turn
               from turns t cross join share
              cross join lateral (select o.priority, o.position, o.event_id, o.subject, o.aggregate_id, o.body, o.attempts from outbox o
                                   where o.stream = t.stream and o.organization_id = t.organization_id
                                   order by o.priority desc, o.position limit share.rows) next),
           more as materialized (select f.stream, f.goes_on, f.organization_id from fair f, share where f.turn = share.rows),
           spare as materialized (
             select ceil((rows_max - (select count(*) from fair))::numeric / greatest(1, (select count(*) from more)))::int as rows),
           chosen as (
             select * from fair
             union all
             select m.stream, m.goes_on, m.organization_id, next.*,
                    share.rows + row_number() over (partition by m.stream, m.organization_id order by next.priority desc, next.position)
               from more m cross join share cross join spare
              cross join lateral (select o.priority, o.position, o.event_id, o.subject, o.aggregate_id, o.body, o.attempts from outbox o
                                   where o.stream = m.stream and o.organization_id = m.organization_id
                                   order by o.priority desc, o.position limit spare.rows offset share.rows) next)
           select c.stream, c.goes_on, c.position, c.event_id, c.organization_id, c.subject, c.aggregate_id, c.body, c.attempts
             from chosen c order by c.turn, c.position limit rows_max
         $$;`,
      );
    },
  },
};
