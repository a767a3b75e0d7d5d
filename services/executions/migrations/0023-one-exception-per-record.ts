import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * Records without ids that say the same had one key, and so one exception. It stays with the first of them that is open; the next run
 * opens those of the others.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Of those that say the same, which one it is; null where it is the first. Partitions have the column too.
     alter table results add column occurrence int;
     -- Their own policies would hide all of them from their owner.
     alter table open_items no force row level security;
     alter table match_records no force row level security;
     alter table exceptions no force row level security;
     update exceptions e set record_key = left(i.record_key, 1000 - length('#' || i.occurrence)) || '#' || i.occurrence
       from open_items i
      where i.occurrence > 1 and i.retired_at is null
        and not exists (select from open_items o where o.job_id = i.job_id and o.record_key = i.record_key
                           and o.occurrence < i.occurrence and o.retired_at is null)
        and e.job_id = i.job_id and e.record_key = i.record_key and e.status in ('open', 'in_progress');
     update open_items set record_key = left(record_key, 1000 - length('#' || occurrence)) || '#' || occurrence where occurrence > 1;
     update match_records set record_key = left(record_key, 1000 - length('#' || occurrence)) || '#' || occurrence where occurrence > 1;
     alter table open_items force row level security;
     alter table match_records force row level security;
     alter table exceptions force row level security;`,
  );
};
