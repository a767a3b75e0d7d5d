/**
 * Deletes deliveries that are over, with their attempts, and the events that nothing is left to deliver of. What is pending or held is
 * kept however old it is: it has a number, and its receiver would wait for it in vain. Deleting the endpoint is how to be rid of it.
 */
import type { Logger } from '@settler/chassis/logger';
import type { Postgres } from '@settler/chassis/postgres';
import { startRounds } from '@settler/chassis/rounds';
import { type RawBuilder, sql } from 'kysely';
import type { Database } from './tables.ts';

const everyMs = 10 * 60_000;
const batchRows = 1_000;

export const startDeliveryRetention = (postgres: Postgres<Database>, days: number, logger: Logger) =>
  startRounds(everyMs, () => deleteOldDeliveries(postgres, days), logger, 'retention of deliveries is put off to the next round');

/** Keeps a delivery for so many days after its last attempt. */
export const deleteOldDeliveries = async (postgres: Postgres<Database>, days: number): Promise<void> => {
  const since = sql`now() - make_interval(days => ${days})`;
  // Whoever deletes an endpoint deletes its deliveries in an order of their own: nobody may wait here for one of them.
  const deliveries = sql`
    delete from deliveries where id = any(array(
      select id from deliveries d
       where status in ('delivered', 'failed') and created_at < ${since}
         and not exists (select from attempts a where a.delivery_id = d.id and a.at >= ${since})
       limit ${batchRows} for update skip locked))`;
  const events = sql`
    delete from events where id = any(array(
      select id from events e
       where received_at < ${since} and not exists (select from deliveries d where d.event_id = e.id) limit ${batchRows}))`;
  for (const batch of [deliveries, events]) while ((await deletedBy(postgres, batch)) === batchRows);
};

const deletedBy = async ({ systemDb }: Postgres<Database>, batch: RawBuilder<unknown>): Promise<number> =>
  Number((await batch.execute(systemDb)).numAffectedRows ?? 0n);
