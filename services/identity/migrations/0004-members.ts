import { ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Members are listed, changed, shut out and removed. What a session had of an organization before it moved to another has to end
 * with the membership there: its access tokens live on for minutes, so it is kept which organizations a session has left.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table memberships add column disabled_at timestamptz(3);
     alter table memberships add column revision bigint not null default 1;
     create index memberships_newest on memberships (organization_id, created_at desc, user_id desc);

     create table session_departures (
       session_id text not null references sessions (id) on delete cascade,
       organization_id text not null,
       left_at timestamptz not null default now(),
       primary key (session_id, organization_id));`,
  );
  await ownedByService(db, 'session_departures', { app: 'select, insert, update' });
};
