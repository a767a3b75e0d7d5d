import { statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Results are kept for a while and then dropped by the month, which costs nothing, where deleting millions of rows would. Waiting for
 * the lock would hold up everybody behind it: what cannot be had at once is left to the next round.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Since when the results of a run are gone; its report stays.
     alter table executions add column results_dropped_at timestamptz;
     create index executions_with_results on executions (created_at) where results_dropped_at is null;`,
  );
  await withRoles(
    db,
    `create function drop_result_partitions(before date) returns setof text language plpgsql security definer
       set search_path = public set lock_timeout = '2s' as $$
     declare
       partition text;
     begin
       for partition in
         select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
          where p.relname in ('results', 'result_records') and p.relnamespace = 'public'::regnamespace
            and to_date(right(c.relname, 7), 'YYYY_MM') < date_trunc('month', before)::date
          order by c.relname
       loop
         execute format('drop table %%I', partition);
         return next partition;
       end loop;
     end $$;
     revoke all on function drop_result_partitions(date) from public;
     grant execute on function drop_result_partitions(date) to %2$I;`,
  );
};
