import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- What identity says of its organizations: the currency in which each keeps its books.
     create table base_currencies (
       organization_id text primary key,
       currency text not null,
       -- Of the event that said so.
       version bigint not null);`,
  );
  await ownedByOrganization(db, 'base_currencies');
};
