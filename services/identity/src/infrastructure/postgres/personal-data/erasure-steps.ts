/** The steps of an erasure, inside somebody's transaction under its organization: the last one that is done completes it. */
import { auditMessage, type Outbox } from '@settler/chassis/outbox';
import type { Envelope } from '@settler/contracts/envelope';
import { type ErasureAcknowledgement, erasureAcknowledgement } from '@settler/contracts/internal/erasure';
import { sql } from 'kysely';
import type { Trx } from '../sight.ts';

export interface DoneStep extends ErasureAcknowledgement {
  readonly organizationId: string;
}

/** Once more is as good as once. */
export const completeStep = async (trx: Trx, outbox: Outbox, { erasureId, organizationId, service }: DoneStep): Promise<void> => {
  // Held until the commit: of two steps that are done at once, the second one sees the first.
  const erasure = await trx
    .selectFrom('erasures')
    .select(['user_id', 'completed_at'])
    .where('id', '=', erasureId)
    .forUpdate()
    .executeTakeFirst();
  if (erasure === undefined || erasure.completed_at !== null) return;
  await trx
    .updateTable('erasure_steps')
    .set({ done_at: sql<Date>`now()` })
    .where('erasure_id', '=', erasureId)
    .where('service', '=', service)
    .where('done_at', 'is', null)
    .execute();
  const left = await trx
    .selectFrom('erasure_steps')
    .select('service')
    .where('erasure_id', '=', erasureId)
    .where('done_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (left !== undefined) return;
  await trx.updateTable('erasures').set({ completed_at: sql<Date>`now()` }).where('id', '=', erasureId).execute();
  await outbox.append(trx, [
    auditMessage('identity', organizationId, {
      actor: { type: 'system', id: 'identity' },
      address: null,
      action: 'user.erased',
      resource: { type: 'user', id: erasure.user_id },
      after: { erasureId },
    }),
  ]);
};

/** What the other services answer. */
export const takeAcknowledgement =
  (outbox: Outbox) =>
  (trx: Trx, { organizationid: organizationId, data }: Envelope): Promise<void> =>
    completeStep(trx, outbox, { ...erasureAcknowledgement.parse(data), organizationId });

/** Of an erasure, beside its departed member. One that has ended the membership is of the same moment, in milliseconds. */
export const isSinceDeparture = sql<boolean>`erasures.requested_at >= date_trunc('milliseconds', departed_members.departed_at)`;
