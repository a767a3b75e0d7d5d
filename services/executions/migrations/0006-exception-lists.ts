import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** Lists are read newest first by what people ask for: what is open, of one job, or of one person. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `alter table exceptions add column search text not null default '';
     create index exceptions_by_status on exceptions (organization_id, status, created_at desc, id desc);
     create index exceptions_of_job on exceptions (job_id, created_at desc, id desc);
     create index exceptions_of_assignee on exceptions (assignee_id, created_at desc, id desc) where assignee_id is not null;`,
  );
};
