import { ownedByOrganization, statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * What a report adds up was a row for each record: a third of what it takes to store a run, and millions of rows to read for every look
 * at its report. Now each piece of results brings its sums along, in the same transaction.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create table result_sums (
       execution_id text not null,
       organization_id text not null,
       epoch int not null,
       side text not null,
       -- Empty for records that could not be read far enough to have one.
       currency text not null,
       outcome text not null,
       pass text,
       carried boolean not null,
       count bigint not null,
       amount_minor numeric not null);
     create index result_sums_of_execution on result_sums (execution_id);
     -- Its own policies would hide all of it from its owner.
     alter table result_records no force row level security;
     insert into result_sums
       select execution_id, organization_id, epoch, side, coalesce(currency, ''), outcome, pass, carried, count(*), coalesce(sum(amount_minor), 0)
         from result_records group by execution_id, organization_id, epoch, side, coalesce(currency, ''), outcome, pass, carried;

     -- Records that a match by hand, or its undoing, calls something else.
     create table result_renamings (
       execution_id text not null,
       organization_id text not null,
       side text not null,
       currency text not null,
       amount_minor numeric,
       count bigint not null,
       from_outcome text not null,
       from_pass text,
       to_outcome text not null,
       to_pass text);
     create index result_renamings_of_execution on result_renamings (execution_id);
     drop table result_records;`,
  );
  await ownedByOrganization(db, 'result_sums', { app: 'select', system: 'select, insert, delete' });
  // How many records there are, and what they are worth, no request can change: what is taken from one outcome is given to another.
  await ownedByOrganization(db, 'result_renamings', { app: 'select, insert', system: 'select, insert, delete' });
  await withRoles(
    db,
    `create or replace function ensure_result_partitions(month date) returns void language plpgsql security definer set search_path = public as $$
     declare
       first date := date_trunc('month', month)::date;
       partition text := 'results' || to_char(first, '_YYYY_MM');
     begin
       if to_regclass(partition) is null then
         perform pg_advisory_xact_lock(hashtext('result partitions'));
         execute format('create table if not exists %%I partition of results for values from (%%L) to (%%L)', partition, first, (first + interval '1 month')::date);
         execute format('grant select, insert, update, delete on %%I to %%I', partition, %2$L);
       end if;
     end $$;
     create or replace function drop_result_partitions(before date) returns setof text language plpgsql security definer
       set search_path = public set lock_timeout = '2s' as $$
     declare
       partition text;
     begin
       for partition in
         select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
          where i.inhparent = 'results'::regclass and to_date(right(c.relname, 7), 'YYYY_MM') < date_trunc('month', before)::date
          order by c.relname
       loop
         execute format('drop table %%I', partition);
         return next partition;
       end loop;
     end $$;`,
  );
};
