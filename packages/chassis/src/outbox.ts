/** Publishing: a row in the transaction of what happened, and a nudge to the relay once that has committed. */
import { type AuditRecord, auditRecord, auditType } from '@settler/contracts/audit';
import type { Envelope } from '@settler/contracts/envelope';
import type { EventDefinition } from '@settler/contracts/events/define';
import type { StatefulService } from '@settler/contracts/services';
import { auditSubject, eventSubject } from '@settler/contracts/subjects';
import { sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { currentContext } from './context.ts';
import { newId } from './ids.ts';
import { afterCommit } from './postgres.ts';
import type { Principal } from './principal.ts';
import type { ChassisTables } from './tables.ts';
import { activeTraceparent } from './tracing.ts';

/** A message that waits to be written into the outbox. */
export interface OutboxMessage {
  readonly subject: string;
  readonly type: string;
  readonly organizationId: string;
  readonly aggregateId: string;
  readonly aggregateVersion: number;
  readonly data: Record<string, unknown>;
  readonly priority?: number;
  /** Where the id must be the same each time the same thing is said; else a new one is made. */
  readonly id?: string;
}

/** A public fact. The data are checked here, so that nothing leaves that the contract does not describe. */
export const eventMessage = <Data extends z.ZodType>(
  definition: EventDefinition<Data>,
  about: { organizationId: string; aggregateId: string; aggregateVersion: number; priority?: number },
  data: z.input<Data>,
): OutboxMessage => ({
  subject: eventSubject(definition.service, definition.type, definition.major, about.organizationId),
  type: definition.type,
  data: definition.data.parse(data) as Record<string, unknown>,
  ...about,
});

/** An entry for the audit trail. */
export const auditMessage = <Service extends StatefulService>(
  service: Service,
  organizationId: string,
  record: AuditRecord<Service>,
): OutboxMessage => ({
  subject: auditSubject(service, organizationId),
  type: auditType,
  organizationId,
  aggregateId: organizationId,
  aggregateVersion: 1,
  data: auditRecord.parse(record),
});

/** What an entry says of who did it: the user or the key, and from where. */
export const doneBy = ({ principal, address }: { readonly principal: Principal; readonly address: string | null }) => ({
  actor: { type: principal.kind, id: principal.id },
  ...(principal.kind === 'apiKey' ? { keyId: principal.id } : {}),
  address,
});

/** What one event may carry, as JSON. The table refuses more; this says it before the transaction is broken. */
export const eventBytesMax = 64 * 1024;

export interface Outbox {
  /** Must run inside a transaction of this service's database, under the organization that the messages are about. */
  readonly append: <DB extends ChassisTables>(trx: Transaction<DB>, messages: readonly OutboxMessage[]) => Promise<void>;
}

export const createOutbox = (service: StatefulService, wake: () => void, now: () => Date = () => new Date()): Outbox => ({
  append: async (trx, messages) => {
    if (messages.length === 0) return;
    const time = now().toISOString();
    const traceparent = activeTraceparent() ?? currentContext()?.traceparent;
    const rows = messages.map((message) => {
      const id = message.id ?? newId('event');
      const envelope: Envelope = {
        specversion: '1.0',
        id,
        source: `/settler/${service}`,
        type: message.type,
        subject: message.aggregateId,
        time,
        datacontenttype: 'application/json',
        organizationid: message.organizationId,
        aggregateversion: message.aggregateVersion,
        ...(traceparent === undefined ? {} : { traceparent }),
        data: message.data,
      };
      const body = JSON.stringify(envelope);
      if (Buffer.byteLength(body) > eventBytesMax)
        throw new Error(`an event of type ${message.type} is larger than ${eventBytesMax} bytes`);
      return {
        id,
        organizationId: message.organizationId,
        subject: message.subject,
        aggregateId: message.aggregateId,
        priority: message.priority ?? 0,
        body,
      };
    });
    // Columns as arrays: one text of a statement for however many rows, and none too many parameters.
    const column = <Value>(of: (row: (typeof rows)[number]) => Value): Value[] => rows.map(of);
    await sql`
      /* planned once */ insert into outbox (event_id, organization_id, subject, aggregate_id, priority, body)
      select * from unnest(${column(({ id }) => id)}::text[], ${column(({ organizationId }) => organizationId)}::text[],
                           ${column(({ subject }) => subject)}::text[], ${column(({ aggregateId }) => aggregateId)}::text[],
                           ${column(({ priority }) => priority)}::smallint[], ${column(({ body }) => body)}::text[])`.execute(trx);
    afterCommit(wake);
  },
});
