import { ownedByOrganization, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Invitations that stand open: one that is accepted or withdrawn is gone, and the address with it. Who has left an organization and
 * comes back has a membership whose revision goes on from there, or listeners would take the news of it for old.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table invitations (
       id text primary key,
       organization_id text not null references organizations (organization_id),
       email text not null,
       role text not null check (role in ('owner', 'admin', 'developer', 'viewer')),
       token_hash bytea not null unique,
       invited_by_type text not null,
       invited_by_id text not null,
       created_at timestamptz(3) not null default now(),
       expires_at timestamptz(3) not null,
       unique (organization_id, email));
     create index invitations_newest on invitations (organization_id, created_at desc, id desc);
     create index invitations_expiry on invitations (expires_at);

     create table departed_members (
       organization_id text not null references organizations (organization_id),
       user_id text not null,
       -- Of the membership at its end.
       revision bigint not null,
       departed_at timestamptz not null default now(),
       primary key (organization_id, user_id));`,
  );
  await ownedByOrganization(db, 'invitations', { app: 'select, insert, delete', system: 'select, delete' });
  await ownedByOrganization(db, 'departed_members', { app: 'select, insert, update', system: 'select' });
  await withRoles(
    db,
    `create policy presented_invitation on invitations for select to %1$I
       using (encode(token_hash, 'hex') = nullif(current_setting('app.invitation_hash', true), ''));`,
  );
};
