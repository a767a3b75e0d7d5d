import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** What is due is taken endpoint by endpoint, so that nobody's backlog has to be read through to find what is another's. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create index deliveries_due_of_endpoint on deliveries (endpoint_id, next_attempt_at, sequence) where status = 'pending';
     create index deliveries_claimed on deliveries (endpoint_id) where status = 'pending' and claimed_until is not null;`,
  );
};
