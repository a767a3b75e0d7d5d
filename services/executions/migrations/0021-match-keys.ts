import { ownedByOrganization, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- By what later runs know the records that the rules have matched: a row for some thousand results that stand one behind the other.
     create table match_keys (
       execution_id text not null references executions (id) on delete cascade,
       organization_id text not null,
       job_id text not null,
       -- Of the execution.
       created_at timestamptz(3) not null,
       -- The position of the first of those results.
       first int not null,
       -- For each matched record who it is and what it says, as hashes, and which match of these results it is in: six words of 32 bits.
       source_keys bytea not null,
       target_keys bytea not null,
       primary key (execution_id, first));
     create index match_keys_newest on match_keys (job_id, created_at, execution_id, first);
     -- They are read in whole, and there is nothing in them to compress.
     alter table match_keys alter source_keys set storage external, alter target_keys set storage external;`,
  );
  await ownedByOrganization(db, 'match_keys', { app: 'select', system: 'select, insert, delete' });
};
