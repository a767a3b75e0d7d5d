import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Until this day a counterpart may still come: the record is open, and no exception. Partitions have the column too.
     alter table results add column due_on date;`,
  );
};
