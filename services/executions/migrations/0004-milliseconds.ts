import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** A page ends at an instant that a cursor names in milliseconds: rows must have no finer one, or those between two are skipped. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table files alter column created_at type timestamptz(3);
     alter table executions alter column created_at type timestamptz(3);
     alter table exceptions alter column created_at type timestamptz(3);`,
  );
};
