import { ownedByOrganization, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Of a result that was matched by hand: by whom, when and why. Partitions have the column too.
     alter table results add column manual jsonb;
     -- The match by which it was resolved: the decision holds for as long as the match does.
     alter table exceptions add column match_id text;
     create index exceptions_of_match on exceptions (match_id) where match_id is not null;

     create table matches (
       -- The result that it was made as.
       id text primary key,
       organization_id text not null,
       job_id text not null,
       execution_id text not null,
       note text,
       created_by_type text not null,
       created_by_id text not null,
       created_at timestamptz(3) not null default now(),
       -- What it has changed, so that undoing it restores exactly that.
       before jsonb not null,
       ended_at timestamptz(3),
       ended_because text check (ended_because in ('undone', 'record_changed')),
       ended_by_type text,
       ended_by_id text);
     create index matches_that_hold on matches (job_id, id) where ended_at is null;

     -- The records of matches that hold: each is in one of its job, whichever run it was made in.
     create table match_records (
       match_id text not null references matches (id) on delete cascade,
       organization_id text not null,
       job_id text not null,
       side text not null check (side in ('source', 'target')),
       identity text not null,
       occurrence int not null,
       record json not null,
       record_key text not null,
       retired boolean not null,
       primary key (job_id, identity));
     create index match_records_of_match on match_records (match_id);
     create index match_records_by_key on match_records (job_id, record_key);`,
  );
  await ownedByOrganization(db, 'matches', { app: 'select, insert, update', system: 'select, insert, update, delete' });
  await ownedByOrganization(db, 'match_records');
  // A match by hand puts results in the place of others, and calls their records something else; how many those are, and what they are
  // worth, no request can change.
  await withRoles(
    db,
    `grant insert, delete on results to %1$I;
     grant update (exception_id) on results to %1$I;
     grant update (outcome, pass) on result_records to %1$I;`,
  );
};
