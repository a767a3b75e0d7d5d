/** How sessions end, inside somebody's transaction: the rows, and what is said about it. */
import { auditMessage, type doneBy, type Outbox } from '@settler/chassis/outbox';
import { type Selectable, sql } from 'kysely';
import { type Trx, underOrganization } from '../sight.ts';
import type { Database, SessionEnd } from '../tables.ts';
import { revoke } from './revocations.ts';

/** Ends a session that is open, with an entry of its own in the trail of the organization that it was in. */
export const endSession = async (
  trx: Trx,
  outbox: Outbox,
  session: Selectable<Database['sessions']>,
  reason: 'logout' | 'reuse' | 'revoked',
  by: ReturnType<typeof doneBy>,
): Promise<void> => {
  if (session.ended_at !== null) return;
  const { id, user_id: userId, organization_id: organizationId } = session;
  await trx.updateTable('sessions').set({ ended_at: sql<Date>`now()`, end_reason: reason }).where('id', '=', id).execute();
  const entry = auditMessage('identity', organizationId, {
    ...by,
    action: reason === 'reuse' ? 'session.reuse_detected' : 'session.ended',
    resource: { type: 'session', id },
    after: { userId, reason },
  });
  await underOrganization(trx, organizationId, () => outbox.append(trx, [entry]));
  await revoke(trx, 'session', [id]);
};

export interface WhichSessions {
  readonly userId: string;
  readonly except?: string | undefined;
  /** Only those in this organization, or that left it so lately that they may have access tokens of it. */
  readonly organizationId?: string;
}

/** How long an access token lives, and a little more for clocks that differ. */
const departedSeconds = 20 * 60;

/** Ends all of a user's sessions but one, without entries: what ended them has one. Says how many. */
export const endSessionsOf = async (
  trx: Trx,
  { userId, except, organizationId }: WhichSessions,
  reason: Extract<SessionEnd, 'password' | 'membership' | 'revoked'>,
): Promise<number> => {
  // Locked by a statement of its own: the next one sees what those that held them have done, a departure for one.
  await trx
    .selectFrom('sessions')
    .select('id')
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  const hadPart = sql<boolean>`(organization_id = ${organizationId ?? ''} or exists (
    select 1 from session_departures as departure
     where departure.session_id = sessions.id and departure.organization_id = ${organizationId ?? ''}
       and departure.left_at > now() - make_interval(secs => ${departedSeconds})))`;
  const ended = await trx
    .updateTable('sessions')
    .set({ ended_at: sql<Date>`now()`, end_reason: reason })
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .$if(except !== undefined, (query) => query.where('id', '!=', except ?? ''))
    .$if(organizationId !== undefined, (query) => query.where(hadPart))
    .returning('id')
    .execute();
  const ids = ended.map(({ id }) => id);
  await revoke(trx, 'session', ids);
  return ids.length;
};
