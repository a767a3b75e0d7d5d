/** Invitations stand as long as whoever made them may still make them. Inside somebody's transaction. */
import { auditMessage, doneBy, type Outbox } from '@settler/chassis/outbox';
import { roles } from '@settler/contracts/scopes';
import { sql } from 'kysely';
import type { Actor } from '../../../application/ports.ts';
import { type Doer, mayStillInvite, withdrawalFault } from '../../../domain/membership.ts';
import type { Trx } from '../sight.ts';
import { requireNoFault } from './doers.ts';

/**
 * Of an invitation: whether it has not run out, and neither has the key that made it. A key ends by itself, without anybody who would withdraw
 * what it has promised, and may be given a longer life.
 */
export const stands = sql<boolean>`(invitations.expires_at > now() and not exists (
  select 1 from api_keys where api_keys.id = invitations.invited_by_id and api_keys.expires_at <= now()))`;

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

/**
 * Of a user who is to be erased, and may have left and been invited again: the address stands in the invitation, with the account or
 * without. Says whether there was one.
 * @throws Refusal `forbidden` where the doer may withdraw it in no other way either
 */
export const withdrawInvitationOf = async (trx: Trx, outbox: Outbox, doer: Doer, userId: string, actor: Actor): Promise<boolean> => {
  const ended = await trx
    .deleteFrom('invitations')
    .where('organization_id', '=', actor.principal.organizationId)
    .where('email', 'in', ({ selectFrom }) => selectFrom('users').select('email').where('id', '=', userId))
    .returning(['id', 'role', 'invited_by_id'])
    .execute();
  if (ended.length === 0) return false;
  for (const { role } of ended) requireNoFault(withdrawalFault(doer, role));
  await outbox.append(
    trx,
    ended.map(({ id, role, invited_by_id: invitedBy }) => auditInvitation(id, 'withdrawn', actor, { before: { role, invitedBy } })),
  );
  return true;
};
