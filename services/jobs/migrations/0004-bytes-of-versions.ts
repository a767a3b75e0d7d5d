import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Records may stand in a configuration: a page of them has to know how long it gets before anybody reads it. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table job_versions add column bytes int not null generated always as
       (octet_length(source::text) + octet_length(target::text) + octet_length(rules::text)) stored;`,
  );
};
