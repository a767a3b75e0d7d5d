/**
 * Turns one event into one delivery per endpoint that wants it, numbered without gaps, in the inbox's own transaction. Also for those that
 * nothing is sent to now: what has no number would be missed by nobody.
 */
import { newId } from '@settler/chassis/ids';
import { afterCommit } from '@settler/chassis/postgres';
import type { Envelope } from '@settler/contracts/envelope';
import { publicEventTypes } from '@settler/contracts/events/catalogue';
import { sql, type Transaction } from 'kysely';
import { matches } from '../../domain/subscription.ts';
import type { Database } from './tables.ts';

/** What is signed and sent. */
const bodyOf = ({ type, time, data }: Envelope): string => JSON.stringify({ type, timestamp: time, data });

export const fanOut =
  (wake: () => void) =>
  async (trx: Transaction<Database>, envelope: Envelope): Promise<void> => {
    if (!publicEventTypes.includes(envelope.type)) return;
    // In one order for everybody, so that two events cannot wait for each other's endpoints.
    const endpoints = await trx
      .selectFrom('endpoints')
      .select(['id', 'events'])
      .where('organization_id', '=', envelope.organizationid)
      .orderBy('id')
      .forUpdate()
      .execute();
    const wanting = endpoints.filter((endpoint) => matches(endpoint.events, envelope.type));
    if (wanting.length === 0) return;
    await trx
      .insertInto('events')
      .values({ id: envelope.id, organization_id: envelope.organizationid, type: envelope.type, body: bodyOf(envelope) })
      .execute();
    // All in one statement: one for each endpoint kept whatever waits behind the event for seconds where there are a thousand.
    await sql`
      with numbered as (
        update endpoints set last_sequence = last_sequence + 1 where id = any(${wanting.map(({ id }) => id)}::text[])
        returning id, last_sequence, case status when 'paused' then 'paused' when 'disabled' then 'held' end as held_for)
      insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, next_attempt_at, next_reason)
      select new.id, ${envelope.organizationid}, numbered.id, ${envelope.id}, ${envelope.type}, last_sequence,
             case when held_for is null then 'pending' else 'held' end,
             case when held_for is null then now() end,
             coalesce(held_for, 'schedule')
        from numbered
        join unnest(${wanting.map(({ id }) => id)}::text[], ${wanting.map(() => newId('delivery'))}::text[]) as new (endpoint_id, id)
          on new.endpoint_id = numbered.id`.execute(trx);
    afterCommit(wake);
  };
