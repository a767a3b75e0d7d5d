import { ownedByOrganization, ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table open_items (
       job_id text not null,
       identity text not null,
       organization_id text not null,
       side text not null check (side in ('source', 'target')),
       occurrence int not null,
       -- Not jsonb: what a record without an id says, to the letter, is who it is.
       record json not null,
       -- Of the exception that is open for it, where there is one.
       record_key text not null,
       first_execution_id text not null,
       first_seen_at timestamptz not null,
       primary key (job_id, identity));
     create index open_items_by_key on open_items (job_id, record_key);

     -- What a run that has not ended yet will change of the open items, written beside its results. Its end applies it, once.
     create table open_item_moves (
       execution_id text not null,
       epoch int not null,
       identity text not null,
       side text not null,
       occurrence int not null,
       outcome text not null,
       record json not null,
       record_key text not null);
     create index open_item_moves_of_execution on open_item_moves (execution_id);`,
  );
  await ownedByOrganization(db, 'open_items');
  // Written by COPY, which no policy allows, by the system role alone.
  await ownedByService(db, 'open_item_moves', { system: 'select, insert, update, delete' });
};
