import { ownedByOrganization, ownedByService, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table users (
       id text primary key,
       -- Trimmed and in lower case, so that one address is one account.
       email text not null unique,
       name text,
       password_hash text not null,
       created_at timestamptz not null);

     create table organizations (
       organization_id text primary key,
       name text not null,
       slug text not null unique,
       base_currency text not null,
       revision bigint not null default 1,
       created_at timestamptz not null);

     create table memberships (
       organization_id text not null references organizations (organization_id),
       user_id text not null references users (id),
       role text not null check (role in ('owner', 'admin', 'developer', 'viewer')),
       created_at timestamptz not null,
       primary key (organization_id, user_id));
     create index memberships_of_user on memberships (user_id, created_at desc);

     -- A session is a family of refresh tokens: one lives, the ones before it are kept to notice that somebody uses them again.
     create table sessions (
       id text primary key,
       user_id text not null references users (id),
       organization_id text not null references organizations (organization_id),
       generation int not null default 0,
       created_at timestamptz not null default now(),
       -- Absolute: rotation does not move it.
       expires_at timestamptz not null,
       ended_at timestamptz,
       end_reason text check (end_reason in ('logout', 'reuse')));
     create index sessions_expiry on sessions (expires_at);
     create table refresh_tokens (
       hash bytea primary key,
       session_id text not null references sessions (id) on delete cascade,
       generation int not null,
       replaced_at timestamptz,
       unique (session_id, generation));

     create table api_keys (
       id text primary key,
       organization_id text not null references organizations (organization_id),
       name text not null,
       locator text not null unique,
       prefix text not null,
       -- bcrypt of an HMAC of the key.
       hash text not null,
       scopes text[] not null,
       rate_limit jsonb,
       allowed_ips text[] not null,
       expires_at timestamptz,
       created_by_type text not null,
       created_by_id text not null,
       revision bigint not null default 1,
       created_at timestamptz not null,
       last_used_at timestamptz,
       revoked_at timestamptz);
     create index api_keys_newest on api_keys (organization_id, created_at desc, id desc);

     -- One row hands out the numbers and stays locked until the commit, so that numbers become visible in their order.
     create table revocation_counter (single boolean primary key default true check (single), revision bigint not null);
     insert into revocation_counter (revision) values (0);
     create table revocations (
       revision bigint primary key,
       kind text not null check (kind in ('apiKey', 'session', 'user')),
       subject_id text not null,
       at timestamptz not null default now());
     create index revocations_time on revocations (at);

     create table signing_keys (
       id text primary key,
       status text not null check (status in ('next', 'current', 'retired')),
       public_jwk jsonb not null,
       -- PKCS8, AES-256-GCM, with the id of the key it was encrypted under.
       sealed_private_key text not null,
       created_at timestamptz not null default now(),
       activated_at timestamptz,
       retired_at timestamptz);
     create unique index signing_keys_one_current on signing_keys (status) where status in ('current', 'next');

     -- Accounts and addresses are kept as HMACs: enough to count them, useless to whoever reads them.
     create table login_failures (
       position bigint generated always as identity primary key,
       account bytea not null,
       address bytea not null,
       at timestamptz not null default clock_timestamp());
     create index login_failures_of_account on login_failures (account, at desc);
     create index login_failures_of_address on login_failures (address, at desc);
     create index login_failures_time on login_failures (at);
     create table known_addresses (
       account bytea not null,
       address bytea not null,
       last_login_at timestamptz not null default now(),
       primary key (account, address));
     create index known_addresses_time on known_addresses (last_login_at);

     -- How many entries an organization's trail has and how it ends, apart from the entries and sealed, so that cutting its end off shows.
     create table audit_heads (
       organization_id text primary key references organizations (organization_id),
       entries bigint not null,
       hash text not null,
       seal text not null);
     create table audit_entries (
       organization_id text not null,
       position bigint not null,
       id text not null unique,
       at timestamptz not null,
       actor_type text not null,
       actor_id text not null,
       key_id text,
       -- The only column that the hash leaves out, because it must be possible to erase it.
       address text,
       action text not null,
       resource_type text not null,
       resource_id text not null,
       -- Text and not jsonb: the hash is over these very characters.
       before_state text,
       after_state text,
       hash text not null,
       primary key (organization_id, position));
     create index audit_entries_of_actor on audit_entries (organization_id, actor_id, position desc);
     create index audit_entries_of_resource on audit_entries (organization_id, resource_id, position desc);
     create index audit_entries_of_action on audit_entries (organization_id, action, position desc);
     create index audit_entries_time on audit_entries (organization_id, at);`,
  );
  await ownedByOrganization(db, 'organizations', { app: 'select, insert, update', system: 'select' });
  await ownedByOrganization(db, 'memberships', { app: 'select, insert, update, delete', system: 'select' });
  await ownedByOrganization(db, 'api_keys', { app: 'select, insert, update', system: 'select' });
  await ownedByOrganization(db, 'audit_heads', { app: 'select, insert, update', system: 'select' });
  // Not even this service may change or remove an entry; the machinery may clear addresses.
  await ownedByOrganization(db, 'audit_entries', { app: 'select, insert', system: 'select, update (address)' });
  await withRoles(
    db,
    `create policy own_memberships on memberships for select to %1$I
       using (user_id = nullif(current_setting('app.user_id', true), ''));
     create policy own_organizations on organizations for select to %1$I
       using (exists (select 1 from memberships
                       where memberships.organization_id = organizations.organization_id
                         and memberships.user_id = nullif(current_setting('app.user_id', true), '')));
     create policy presented_key on api_keys for select to %1$I
       using (locator = nullif(current_setting('app.api_key_locator', true), ''));`,
  );
  await ownedByService(db, 'users', { app: 'select, insert, update' });
  await ownedByService(db, 'sessions', { app: 'select, insert, update', system: 'select, delete' });
  await ownedByService(db, 'refresh_tokens', { app: 'select, insert, update', system: 'select, delete' });
  await ownedByService(db, 'revocation_counter', { app: 'select, update' });
  await ownedByService(db, 'revocations', { app: 'select, insert', system: 'select, delete' });
  await ownedByService(db, 'login_failures', { app: 'select, insert', system: 'select, delete' });
  await ownedByService(db, 'known_addresses', { app: 'select, insert, update', system: 'select, delete' });
  // Request handlers never see a signing key, not even a sealed one: signing is the machinery's.
  await ownedByService(db, 'signing_keys', { system: 'select, insert, update, delete' });
};
