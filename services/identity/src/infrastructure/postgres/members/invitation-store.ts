import { createHash, createHmac } from 'node:crypto';
import { requireRevision } from '@settler/chassis/entity-tag';
import { eventMessage, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import type { SecretBox } from '@settler/chassis/secret-box';
import { userInvited } from '@settler/contracts/events/identity';
import { type Selectable, sql } from 'kysely';
import type { Actor, Invitation, InvitationStore, NewInvitation } from '../../../application/ports.ts';
import { invitationMail, invitationSeconds } from '../../../domain/mail.ts';
import { invitationFault, invitationRevision, withdrawalFault } from '../../../domain/membership.ts';
import { orderMail } from '../mail-queue.ts';
import { publicly, showingInvitation, type Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { lockedDoer, requireNoFault } from './doers.ts';
import { acceptInvitation, type Joining } from './invitation-acceptance.ts';
import { auditInvitation, stands } from './invitation-endings.ts';
import { members } from './member-store.ts';

export interface InvitationStoreNeeds extends Joining {
  readonly postgres: Postgres<Database>;
  readonly box: SecretBox;
  readonly key: Buffer;
}

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Tokens are computed from the invitation that they are of: a mail that has to be sent again holds the same, and only hashes are kept. */
export const createInvitationStore = ({ postgres, box, key, ...joining }: InvitationStoreNeeds): InvitationStore => {
  const { outbox } = joining;
  const tokenOf = (id: string): string => `siv_${createHmac('sha256', key).update(id).digest('base64url')}`;

  return {
    create: (wanted, actor) =>
      postgres.organization(actor.principal.organizationId, async (trx) => {
        const { organizationId } = actor.principal;
        const doer = await lockedDoer(trx, actor, 'members:write');
        // Before it is asked who is a member: an acceptance that is under way is waited for here, and seen below.
        const gone = await trx
          .deleteFrom('invitations')
          .where('email', '=', wanted.email)
          .returning(['id', 'role', stands.as('stood')])
          .executeTakeFirst();
        // One that has run out is nobody's promise any more.
        const replaced = gone?.stood ? gone : undefined;
        requireNoFault(invitationFault(doer, wanted.role, replaced?.role));
        const member = await members(trx, organizationId).where('users.email', '=', wanted.email).executeTakeFirst();
        if (member !== undefined) throw new Refusal('conflict', 'The address is that of a member.');
        const invitation = await insert(trx, wanted, hashOf(tokenOf(wanted.id)), actor);
        await orderMail(trx, box, { kind: 'invitation', organizationId, invitationId: invitation.id });
        await say(trx, outbox, invitation, replaced?.id, actor);
        return invitation;
      }),

    withdraw: (id, ifMatch, actor) =>
      postgres.organization(actor.principal.organizationId, async (trx) => {
        const doer = await lockedDoer(trx, actor, 'members:write');
        // Gone first, and back again with the refusal: this waits for whoever accepts it now.
        const gone = await trx.deleteFrom('invitations').where('id', '=', id).where(stands).returning('role').executeTakeFirst();
        if (gone === undefined) throw notFound('invitation');
        requireRevision(ifMatch, invitationRevision);
        requireNoFault(withdrawalFault(doer, gone.role));
        await outbox.append(trx, [auditInvitation(id, 'withdrawn', actor, { before: { role: gone.role } })]);
      }),

    mailOf: ({ organizationId, invitationId }) =>
      postgres.organization(organizationId, async (trx) => {
        const row = await standing(trx).where('id', '=', invitationId).executeTakeFirst();
        if (row === undefined) return undefined;
        const { slug } = await trx
          .selectFrom('organizations')
          .select('slug')
          .where('organization_id', '=', organizationId)
          .executeTakeFirstOrThrow();
        return invitationMail(row.email, slug, tokenOf(invitationId));
      }),

    find: (token) =>
      postgres.anonymous(async (trx) => {
        await showingInvitation(trx, hashOf(token));
        const row = await standing(trx).where('token_hash', '=', hashOf(token)).executeTakeFirst();
        return row && invitationOf(row);
      }),

    accept: (acceptance) => publicly(postgres, (trx) => acceptInvitation(trx, joining, hashOf(acceptance.token), acceptance)),
  };
};

/** Those that count. Before an organization is known no key is seen: whoever accepts one looks again. */
export const standing = (trx: Trx) => trx.selectFrom('invitations').selectAll().where(stands);

const insert = async (trx: Trx, { id, email, role }: NewInvitation, tokenHash: Buffer, { principal }: Actor): Promise<Invitation> => {
  const row = await trx
    .insertInto('invitations')
    .values({
      id,
      organization_id: principal.organizationId,
      email,
      role,
      token_hash: tokenHash,
      invited_by_type: principal.kind,
      invited_by_id: principal.id,
      expires_at: sql<Date>`now() + make_interval(secs => ${invitationSeconds})`,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return invitationOf(row);
};

const say = async (trx: Trx, outbox: Outbox, invitation: Invitation, replaces: string | undefined, actor: Actor): Promise<void> => {
  const { id, organizationId, role } = invitation;
  const expiresAt = invitation.expiresAt.toISOString();
  await outbox.append(trx, [
    eventMessage(
      userInvited,
      { organizationId, aggregateId: id, aggregateVersion: invitationRevision },
      { invitationId: id, organizationId, role, expiresAt },
    ),
    auditInvitation(id, 'created', actor, { after: { role, expiresAt, ...(replaces === undefined ? {} : { replaces }) } }),
  ]);
};

export const invitationOf = (row: Selectable<Database['invitations']>): Invitation => ({
  id: row.id,
  organizationId: row.organization_id,
  email: row.email,
  role: row.role,
  invitedBy: { type: row.invited_by_type, id: row.invited_by_id },
  createdAt: row.created_at,
  expiresAt: row.expires_at,
});
