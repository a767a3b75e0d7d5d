/** Entries of the audit trail about what somebody did here. */
import { auditMessage, doneBy, type OutboxMessage } from '@settler/chassis/outbox';
import type { AuditRecord } from '@settler/contracts/audit';
import type { Actor } from '../../application/ports.ts';

type ActOf<Entry> = Entry extends unknown ? Pick<Entry & AuditRecord<'executions'>, 'action' | 'resource' | 'before' | 'after'> : never;
type Act = ActOf<AuditRecord<'executions'>>;

export const auditOf = (act: Act, { principal, address }: Actor): OutboxMessage =>
  auditMessage('executions', principal.organizationId, {
    ...doneBy({ principal, address }),
    ...act,
  } as AuditRecord<'executions'>);
