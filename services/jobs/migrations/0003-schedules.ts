import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** A schedule belongs to a version; when it is due next belongs to the job, because time changes it and nobody else. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table job_versions add column schedule jsonb;
     alter table jobs add column next_run_at timestamptz(3);
     create index jobs_due on jobs (next_run_at) where next_run_at is not null;`,
  );
};
