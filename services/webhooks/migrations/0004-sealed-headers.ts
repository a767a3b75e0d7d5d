import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Headers may be credentials: they are sealed as the secret is, and only their names can be read. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table endpoints add column header_names text[] not null default '{}', add column sealed_headers text;
     comment on column endpoints.headers is 'Of before headers were sealed: the service seals what it finds here when it starts.';`,
  );
};
