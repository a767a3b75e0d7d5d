/** Writing the audit trail: one entry per message, under the lock of the organization's head row. */
import { newId } from '@settler/chassis/ids';
import { auditRecord } from '@settler/contracts/audit';
import type { Envelope } from '@settler/contracts/envelope';
import { type ChainEntry, entryHash, type Hmac, headSeal } from '../../domain/audit-chain.ts';
import type { Trx } from './sight.ts';

/** Runs in the consumer's transaction, so that a message is in the trail once, or not yet. */
export const appendEntry =
  (hmac: Hmac) =>
  async (trx: Trx, { organizationid: organizationId, time, data }: Envelope): Promise<void> => {
    const { actor, keyId = null, address, action, resource, before, after } = auditRecord.parse(data);
    const head = await trx
      .selectFrom('audit_heads')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .forUpdate()
      .executeTakeFirst();
    // Made with the organization. Made here instead, a trail that somebody removed would begin anew, and look whole.
    if (head === undefined) throw new Error(`the organization ${organizationId} has no audit trail`);
    const position = Number(head.entries) + 1;
    const entry: ChainEntry = {
      organizationId,
      position,
      id: newId('auditEvent'),
      at: time,
      actorType: actor.type,
      actorId: actor.id,
      keyId,
      action,
      resourceType: resource.type,
      resourceId: resource.id,
      before: textOf(before),
      after: textOf(after),
    };
    const hash = entryHash(head.hash, entry, hmac);
    await trx
      .insertInto('audit_entries')
      .values({
        organization_id: organizationId,
        position,
        id: entry.id,
        at: new Date(time),
        actor_type: actor.type,
        actor_id: actor.id,
        key_id: keyId,
        address,
        action,
        resource_type: resource.type,
        resource_id: resource.id,
        before_state: entry.before,
        after_state: entry.after,
        hash,
      })
      .execute();
    const next = { entries: position, hash };
    await trx
      .updateTable('audit_heads')
      .set({ ...next, seal: headSeal(organizationId, next, hmac) })
      .where('organization_id', '=', organizationId)
      .execute();
  };

// A NUL is a character that PostgreSQL's text has not; JSON writes it as an escape, so the text is safe.
const textOf = (state: Record<string, unknown> | undefined): string | null => (state === undefined ? null : JSON.stringify(state));
