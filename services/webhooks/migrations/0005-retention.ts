import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** What is over is found by its age, and an event that nothing is delivered of any more without reading all deliveries. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `create index deliveries_over on deliveries (created_at) where status in ('delivered', 'failed');
     create index deliveries_of_event on deliveries (event_id);
     create index events_received on events (received_at);`,
  );
};
