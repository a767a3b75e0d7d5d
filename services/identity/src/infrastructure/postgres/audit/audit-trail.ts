/** Writing the audit trail: many entries at a time, under one lock of the organization's head row. */
import { newId } from '@settler/chassis/ids';
import { auditRecord } from '@settler/contracts/audit';
import type { Envelope } from '@settler/contracts/envelope';
import { type Insertable, sql } from 'kysely';
import { type ChainEntry, entryHash, type Head, type Hmac, sealAfter } from '../../../domain/audit-chain.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';

const entryColumns = [
  ...(['organization_id', 'position', 'id', 'at', 'actor_type', 'actor_id', 'key_id', 'address', 'action'] as const),
  ...(['resource_type', 'resource_id', 'before_state', 'after_state', 'hash'] as const),
] satisfies readonly (keyof Database['audit_entries'])[];

type EntryRow = Omit<Insertable<Database['audit_entries']>, 'at'> & { readonly at: string };

/**
 * Runs in the consumer's transaction, so that messages are in the trail once, or not yet. All are of one organization. `onAltered` is told
 * of a head that somebody has written without the key, once for each.
 */
export const appendEntries =
  (hmac: Hmac, onAltered: (organizationId: string, entries: number) => void) =>
  async (trx: Trx, envelopes: readonly Envelope[]): Promise<void> => {
    const organizationId = envelopes[0]?.organizationid ?? '';
    const found = await lockHead(trx, organizationId);
    // Made with the organization. Made here instead, a trail that somebody removed would begin anew, and look whole.
    if (found === undefined) throw new Error(`the organization ${organizationId} has no audit trail`);
    const erased = await erasedAmong(trx, organizationId, envelopes);
    const { seal, isNewlyAltered } = sealAfter(organizationId, found.head, found.checkpoint, hmac);
    if (isNewlyAltered) onAltered(organizationId, found.head.entries);
    let head: Head = { entries: found.head.entries, hash: found.head.hash };
    const rows: EntryRow[] = [];
    for (const envelope of envelopes) {
      const row = rowOf(envelope, head, hmac);
      rows.push(erased(envelope) ? { ...row, address: null } : row);
      head = { entries: Number(row.position), hash: row.hash };
    }
    // One statement, however many they are.
    const columns = sql.join(entryColumns.map((column) => sql.ref(column)));
    await sql`
      insert into audit_entries (${columns})
      select ${columns} from jsonb_populate_recordset(null::audit_entries, ${JSON.stringify(rows)}::jsonb)`.execute(trx);
    await trx
      .updateTable('audit_heads')
      .set({ ...head, seal: seal(head) })
      .where('organization_id', '=', organizationId)
      .execute();
  };

/** With the newest checkpoint: one that is made while we wait for the lock says no more than the head that we then get. */
const lockHead = async (trx: Trx, organizationId: string) => {
  const row = await trx
    .selectFrom('audit_heads as head')
    .leftJoinLateral(
      ({ selectFrom }) =>
        selectFrom('audit_checkpoints')
          .selectAll()
          .whereRef('audit_checkpoints.organization_id', '=', 'head.organization_id')
          .orderBy('entries', 'desc')
          .limit(1)
          .as('checkpoint'),
      (join) => join.onTrue(),
    )
    .select(['head.entries', 'head.hash', 'head.seal'])
    .select([
      'checkpoint.entries as verified',
      'checkpoint.hash as verified_hash',
      'checkpoint.verified_at',
      'checkpoint.seal as verified_seal',
    ])
    .where('head.organization_id', '=', organizationId)
    .forUpdate('head')
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { verified, verified_hash: hash, verified_at: at, verified_seal: seal } = row;
  const hasCheckpoint = verified !== null && hash !== null && at !== null && seal !== null;
  return {
    head: { entries: Number(row.entries), hash: row.hash, seal: row.seal },
    checkpoint: hasCheckpoint ? { entries: Number(verified), hash, verifiedAt: at.toISOString(), seal } : undefined,
  };
};

/** Longer than a token of somebody whose access has ended is believed anywhere, and than clocks differ. */
const afterglowMs = 60_000;

/** Whose address an entry has: whoever acted, or the user of a session that was ended as nobody's. */
const personOf = ({ data }: Envelope): string => {
  const { actor, resource, after } = auditRecord.parse(data);
  const userId = actor.type === 'system' && resource.type === 'session' ? after?.['userId'] : undefined;
  return typeof userId === 'string' ? userId : actor.id;
};

/** Whose address must not come back: entries may still be on their way when somebody is erased, also those of the keys of that user. */
const erasedAmong = async (trx: Trx, organizationId: string, envelopes: readonly Envelope[]) => {
  const actors = [...new Set(envelopes.map(personOf))];
  const { rows } = await sql<{ id: string; at: Date }>`
    /* planned once */ select actor.id, max(erasures.requested_at) as at
      from unnest(${actors}::text[]) as actor (id)
      left join api_keys on api_keys.id = actor.id
      join erasures on erasures.organization_id = ${organizationId} and erasures.user_id in (actor.id, api_keys.created_by_id, api_keys.owner_id)
     group by actor.id`.execute(trx);
  const erasedAt = new Map(rows.map(({ id, at }) => [id, at.getTime() + afterglowMs]));
  return (envelope: Envelope): boolean => Date.parse(envelope.time) <= (erasedAt.get(personOf(envelope)) ?? Number.NEGATIVE_INFINITY);
};

const rowOf = ({ organizationid: organizationId, time, data }: Envelope, head: Head, hmac: Hmac): EntryRow => {
  const { actor, keyId = null, address, action, resource, before, after } = auditRecord.parse(data);
  const entry: ChainEntry = {
    organizationId,
    position: head.entries + 1,
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
  return {
    organization_id: organizationId,
    position: entry.position,
    id: entry.id,
    at: time,
    actor_type: actor.type,
    actor_id: actor.id,
    key_id: keyId,
    address,
    action,
    resource_type: resource.type,
    resource_id: resource.id,
    before_state: entry.before,
    after_state: entry.after,
    hash: entryHash(head.hash, entry, hmac),
  };
};

// A NUL is a character that PostgreSQL's text has not; JSON writes it as an escape, so the text is safe.
const textOf = (state: Record<string, unknown> | undefined): string | null => (state === undefined ? null : JSON.stringify(state));
