import { ownedByService, statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- What the first line of the history says: of those that were opened before, it is in the history itself.
     alter table exceptions add column if not exists result_id text, add column if not exists former_exception_id text;

     -- What a run that has not ended yet has found to need somebody, written beside its results. Its end opens what is not open yet.
     create table if not exists exception_drafts (
       execution_id text not null,
       epoch int not null,
       -- Of the result.
       position int not null,
       id text not null,
       result_id text not null,
       record_key text not null,
       category text not null,
       severity text not null,
       search text not null,
       records jsonb not null,
       amount numeric,
       currency text,
       reason text);
     create index if not exists exception_drafts_in_order on exception_drafts (execution_id, position);`,
  );
  // Written by COPY, which no policy allows, by the system role alone.
  await ownedByService(db, 'exception_drafts', { system: 'select, insert, update, delete' });
};
