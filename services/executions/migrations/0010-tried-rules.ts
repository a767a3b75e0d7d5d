import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Of a dry run of other rules over what an execution has stored: which one.
     alter table executions add column tried_on text;`,
  );
};
