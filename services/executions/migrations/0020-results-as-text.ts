import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * As json, PostgreSQL read through every record and condition to see whether it is JSON, which was a quarter of what it takes to store a
 * result. They are written by nobody but this service, and whoever looks into them says `::jsonb` anyway.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    'alter table results alter source type text, alter target type text, alter conditions type text, alter delta type text;',
  );
};
