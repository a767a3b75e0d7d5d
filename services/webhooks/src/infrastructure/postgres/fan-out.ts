/** Turns one event into one delivery per endpoint that wants it, numbered without gaps, in the inbox's own transaction. */
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
      .select(['id', 'status', 'events'])
      .where('organization_id', '=', envelope.organizationid)
      .where('status', 'in', ['active', 'paused'])
      .orderBy('id')
      .forUpdate()
      .execute();
    const wanting = endpoints.filter((endpoint) => matches(endpoint.events, envelope.type));
    if (wanting.length === 0) return;
    await trx
      .insertInto('events')
      .values({ id: envelope.id, organization_id: envelope.organizationid, type: envelope.type, body: bodyOf(envelope) })
      .execute();
    for (const { id, status } of wanting) {
      const { last_sequence } = await trx
        .updateTable('endpoints')
        .set({ last_sequence: sql<bigint>`last_sequence + 1` })
        .where('id', '=', id)
        .returning('last_sequence')
        .executeTakeFirstOrThrow();
      const isHeld = status === 'paused';
      await trx
        .insertInto('deliveries')
        .values({
          id: newId('delivery'),
          organization_id: envelope.organizationid,
          endpoint_id: id,
          event_id: envelope.id,
          event_type: envelope.type,
          sequence: last_sequence,
          status: isHeld ? 'held' : 'pending',
          next_attempt_at: isHeld ? null : sql<Date>`now()`,
          next_reason: isHeld ? 'paused' : 'schedule',
        })
        .execute();
    }
    afterCommit(wake);
  };
