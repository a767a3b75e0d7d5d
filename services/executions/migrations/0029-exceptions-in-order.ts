import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * The lists of exceptions are read backwards and not kept so: a run opens its exceptions in the order of their ids, which an index that
 * descends takes at the beginning of each page. It splits every page in the middle then, and leaves it half empty.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `drop index if exists exceptions_newest;
     create index exceptions_newest on exceptions (organization_id, created_at, id);
     drop index if exists exceptions_by_status;
     create index exceptions_by_status on exceptions (organization_id, status, created_at, id);
     drop index if exists exceptions_of_job;
     create index exceptions_of_job on exceptions (job_id, created_at, id);
     drop index if exists exceptions_of_assignee;
     create index exceptions_of_assignee on exceptions (assignee_id, created_at, id) where assignee_id is not null;`,
  );
};
