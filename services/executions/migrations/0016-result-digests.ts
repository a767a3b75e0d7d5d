import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- What may be found among some thousand results that stand one behind the other, so that a search passes over those where it is not.
     create table result_digests (
       execution_id text not null,
       organization_id text not null,
       first int not null,
       last int not null,
       passes text[] not null,
       -- Of the largest amount, rounded up.
       amount_most double precision,
       -- A bit for each three letters in a row of any of their texts, and for each five.
       trigrams bytea not null,
       pentagrams bytea not null,
       primary key (execution_id, first));
     -- They are read in whole, and there is little in them to compress.
     alter table result_digests alter trigrams set storage external, alter pentagrams set storage external;`,
  );
  await ownedByOrganization(db, 'result_digests', { app: 'select, delete', system: 'select, insert, delete' });
};
