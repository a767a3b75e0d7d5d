import { statements, withRoles } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * A page of results is read from one index that has everything it is chosen and ordered by. Of a run that has just ended the planner
 * knows nothing yet: it believed that one row would be found, and sorted all of them for every page.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `drop index results_in_order;
     create index results_in_order on results (execution_id, created_at, position);
     create index results_by_outcome on results (execution_id, created_at, outcome, position);`,
  );
  // So that a run that has opened many exceptions can have them looked at, in place of waiting until somebody comes round to it.
  await withRoles(db, 'grant maintain on exceptions to %2$I');
};
