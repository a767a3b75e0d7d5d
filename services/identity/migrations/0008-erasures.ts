import { ownedByOrganization, ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Personal data are erased in steps, one for each service, that are gone on with whatever stops in between. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table erasures (
       id text primary key,
       organization_id text not null references organizations (organization_id),
       user_id text not null,
       requested_by_type text not null,
       requested_by_id text not null,
       requested_at timestamptz(3) not null default now(),
       -- How often it was taken up, and when it is to be again.
       attempts int not null default 0,
       next_attempt_at timestamptz not null default now(),
       completed_at timestamptz(3));
     create unique index erasures_one_at_a_time on erasures (organization_id, user_id) where completed_at is null;
     create index erasures_of_user on erasures (organization_id, user_id);
     create index erasures_due on erasures (next_attempt_at) where completed_at is null;

     create table erasure_steps (
       erasure_id text not null references erasures (id),
       organization_id text not null,
       service text not null,
       done_at timestamptz(3),
       primary key (erasure_id, service));
     create index api_keys_of_creator on api_keys (organization_id, created_by_id);`,
  );
  await ownedByOrganization(db, 'erasures', {
    app: 'select, insert, update (completed_at)',
    system: 'select, update (attempts, next_attempt_at)',
  });
  await ownedByOrganization(db, 'erasure_steps', { app: 'select, insert, update (done_at)', system: 'select' });
  // Everything else that names a user goes with the row, or has gone before it.
  await ownedByService(db, 'users', { system: 'select, delete' });
};
