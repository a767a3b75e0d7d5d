/** Invitations stand as long as whoever made them may still make them. Inside somebody's transaction. */
import { auditMessage, doneBy, type Outbox } from '@settler/chassis/outbox';
import { roles } from '@settler/contracts/scopes';
import type { Actor } from '../../application/ports.ts';
import { type Doer, mayStillInvite } from '../../domain/membership.ts';
import type { Trx } from './sight.ts';

export const auditInvitation = (
  id: string,
  event: 'created' | 'withdrawn',
  actor: Actor,
  states: { readonly before?: Record<string, unknown>; readonly after?: Record<string, unknown> },
) =>
  auditMessage('identity', actor.principal.organizationId, {
    ...doneBy(actor),
    action: `invitation.${event}`,
    resource: { type: 'invitation', id },
    ...states,
  });

/** Withdraws what a member or a key has promised, where `inviter` says what they may still promise: nothing, where nothing is said. */
export const withdrawInvitationsBy = async (trx: Trx, outbox: Outbox, inviterId: string, actor: Actor, inviter?: Doer): Promise<void> => {
  const over = roles.filter((role) => inviter === undefined || !mayStillInvite(inviter, role));
  if (over.length === 0) return;
  const ended = await trx
    .deleteFrom('invitations')
    .where('organization_id', '=', actor.principal.organizationId)
    .where('invited_by_id', '=', inviterId)
    .where('role', 'in', over)
    .returning(['id', 'role'])
    .execute();
  if (ended.length === 0) return;
  await outbox.append(
    trx,
    ended.map(({ id, role }) => auditInvitation(id, 'withdrawn', actor, { before: { role, invitedBy: inviterId } })),
  );
};

/** Of a user who is to be erased, and may have left and been invited again: the address stands in the invitation, with the account or without. */
export const withdrawInvitationOf = async (trx: Trx, outbox: Outbox, userId: string, actor: Actor): Promise<void> => {
  const ended = await trx
    .deleteFrom('invitations')
    .where('organization_id', '=', actor.principal.organizationId)
    .where('email', 'in', ({ selectFrom }) => selectFrom('users').select('email').where('id', '=', userId))
    .returning(['id', 'role', 'invited_by_id'])
    .execute();
  if (ended.length === 0) return;
  await outbox.append(
    trx,
    ended.map(({ id, role, invited_by_id: invitedBy }) => auditInvitation(id, 'withdrawn', actor, { before: { role, invitedBy } })),
  );
};
