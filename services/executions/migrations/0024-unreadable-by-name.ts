import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * What could not be read whole was known by its line, also where its id could be read: one line further down it was another one. Of several
 * that are open for one record, the oldest keeps it.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Its own policies would hide all of them from their owner.
     alter table exceptions no force row level security;
     with named as (
       select id, job_id, status in ('open', 'in_progress') as is_open, regexp_replace(record_key, '^invalid:[0-9]+:', 'invalid::') as key, created_at
         from exceptions
        where record_key ~ '^invalid:[0-9]+:(source|target):'
          and not exists (select from jsonb_array_elements(records) as r(record) where record -> 'id' is null)),
     numbered as (select named.*, row_number() over (partition by job_id, key, is_open order by created_at, id) as number from named)
     update exceptions e set record_key = n.key
       from numbered n
      where e.id = n.id
        and (not n.is_open
             or n.number = 1 and not exists (select from exceptions o where o.job_id = n.job_id and o.record_key = n.key
                                                and o.status in ('open', 'in_progress')));
     alter table exceptions force row level security;`,
  );
};
