import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, eventMessage, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound } from '@settler/chassis/refusal';
import { userDisabled, userEnabled, userRemoved, userRoleChanged } from '@settler/contracts/events/identity';
import { scopesFor } from '@settler/contracts/scopes';
import { sql } from 'kysely';
import type { Actor, Member, MemberStore } from '../../../application/ports.ts';
import { type Doer, membershipFault, type Standing } from '../../../domain/membership.ts';
import { endSessionsOf } from '../credentials/session-endings.ts';
import { asUser, type Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { lockedDoer, lockedMember, requireNoFault } from './doers.ts';
import { withdrawInvitationsBy } from './invitation-endings.ts';

export const createMemberStore = (postgres: Postgres<Database>, outbox: Outbox): MemberStore => ({
  update: (userId, ifMatch, change, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const doer = await lockedDoer(trx, actor, 'members:write');
      const before = await readMember(trx, userId, ifMatch, actor);
      const after = { role: change.role ?? before.role, isDisabled: change.isDisabled ?? before.isDisabled };
      await admit(trx, doer, actor, before, after);
      if (after.role === before.role && after.isDisabled === before.isDisabled) return before;
      const { revision } = await trx
        .updateTable('memberships')
        .set({
          role: after.role,
          revision: sql<bigint>`revision + 1`,
          ...(after.isDisabled === before.isDisabled ? {} : { disabled_at: after.isDisabled ? sql<Date>`now()` : null }),
        })
        .where('organization_id', '=', actor.principal.organizationId)
        .where('user_id', '=', userId)
        .returning('revision')
        .executeTakeFirstOrThrow();
      const member = { ...before, ...after, revision };
      await outbox.append(trx, changeMessages(actor, before, member));
      const inviter = after.isDisabled ? undefined : { role: after.role, scopes: scopesFor(after.role) };
      await withdrawInvitationsBy(trx, outbox, userId, actor, inviter);
      await endSessions(trx, actor, userId);
      return member;
    }),

  remove: (userId, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const doer = await lockedDoer(trx, actor, 'members:write');
      await removeMember(trx, outbox, doer, userId, ifMatch, actor);
    }),

  leave: (organizationId, ifMatch, { principal, address }) =>
    postgres.organization(organizationId, async (trx) => {
      const actor = { principal: { ...principal, organizationId }, address };
      // Before the organization is locked: nobody has to wait for somebody who is not in it.
      const isMember = await members(trx, organizationId).where('memberships.user_id', '=', principal.id).executeTakeFirst();
      if (isMember === undefined) throw notFound('organization');
      await removeMember(trx, outbox, await lockedMember(trx, actor), principal.id, ifMatch, actor);
    }),
});

/** Inside the transaction of somebody who holds the lock that `doer` was read under. @throws Refusal as `remove` does */
export const removeMember = async (
  trx: Trx,
  outbox: Outbox,
  doer: Doer,
  userId: string,
  ifMatch: number | undefined,
  actor: Actor,
): Promise<void> => {
  const { organizationId } = actor.principal;
  const before = await readMember(trx, userId, ifMatch, actor);
  await admit(trx, doer, actor, before, undefined);
  await trx.deleteFrom('memberships').where('organization_id', '=', organizationId).where('user_id', '=', userId).execute();
  const gone = { ...before, revision: before.revision + 1n };
  await trx
    .insertInto('departed_members')
    .values({ organization_id: organizationId, user_id: userId, revision: gone.revision })
    .onConflict((conflict) =>
      conflict.columns(['organization_id', 'user_id']).doUpdateSet({ revision: gone.revision, departed_at: sql<Date>`now()` }),
    )
    .execute();
  await outbox.append(trx, [
    eventMessage(userRemoved, aboutOf(actor, gone), dataOf(actor, gone)),
    audit(actor, 'removed', userId, { before: standingOf(before) }),
  ]);
  await withdrawInvitationsBy(trx, outbox, userId, actor);
  await endSessions(trx, actor, userId);
};

/**
 * The role stands in the access token, so whoever has another one now needs another token. A session is ended and begun anew by
 * logging in: revoking the user instead would be told apart from the tokens of afterwards by the second in which they were
 * issued, and a login within the same second would be refused. Sessions of the user's other organizations go on.
 */
const endSessions = (trx: Trx, { principal: { organizationId } }: Actor, userId: string): Promise<number> =>
  endSessionsOf(trx, { userId, organizationId }, 'membership');

const readMember = async (trx: Trx, userId: string, ifMatch: number | undefined, { principal }: Actor): Promise<Member> => {
  const member = await members(trx, principal.organizationId).where('memberships.user_id', '=', userId).executeTakeFirst();
  if (member === undefined) throw notFound('member');
  requireRevision(ifMatch, member.revision);
  return member;
};

/** How a membership is read. */
export const members = (trx: Trx, organizationId: string) =>
  trx
    .selectFrom('memberships')
    .innerJoin('users', 'users.id', 'memberships.user_id')
    .select(['users.id', 'users.email', 'users.name', 'memberships.role', 'memberships.revision'])
    .select(['memberships.created_at as joinedAt', sql<boolean>`memberships.disabled_at is not null`.as('isDisabled')])
    .where('memberships.organization_id', '=', organizationId);

/** Of somebody who has proved who they are: whether no organization has them, not even one that has disabled them. */
export const isMemberless = async (trx: Trx, userId: string): Promise<boolean> => {
  await asUser(trx, userId);
  const membership = await trx.selectFrom('memberships').select('user_id').where('user_id', '=', userId).limit(1).executeTakeFirst();
  return membership === undefined;
};

const admit = async (
  trx: Trx,
  doer: Doer,
  { principal: { organizationId } }: Actor,
  before: Member,
  after: Standing | undefined,
): Promise<void> => {
  const { count } = await trx
    .selectFrom('memberships')
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .where('organization_id', '=', organizationId)
    .where('user_id', '!=', before.id)
    .where('role', '=', 'owner')
    .where('disabled_at', 'is', null)
    .executeTakeFirstOrThrow();
  requireNoFault(membershipFault(doer, before, after, Number(count)));
};

const aboutOf = ({ principal: { organizationId } }: Actor, { id, revision }: Member) => ({
  organizationId,
  aggregateId: id,
  aggregateVersion: Number(revision),
});
const dataOf = ({ principal: { organizationId } }: Actor, { id, role }: Member) => ({ userId: id, organizationId, role });
const standingOf = ({ role, isDisabled }: Standing) => ({ role, disabled: isDisabled });

const changeMessages = (actor: Actor, before: Member, after: Member) => {
  const states = { before: standingOf(before), after: standingOf(after) };
  const about = aboutOf(actor, after);
  const data = dataOf(actor, after);
  return [
    ...(after.role === before.role
      ? []
      : [eventMessage(userRoleChanged, about, { ...data, previousRole: before.role }), audit(actor, 'role_changed', after.id, states)]),
    ...(after.isDisabled === before.isDisabled
      ? []
      : [
          eventMessage(after.isDisabled ? userDisabled : userEnabled, about, data),
          audit(actor, after.isDisabled ? 'disabled' : 'enabled', after.id, states),
        ]),
  ];
};

const audit = (
  { principal, address }: Actor,
  event: 'role_changed' | 'disabled' | 'enabled' | 'removed',
  userId: string,
  states: { readonly before: ReturnType<typeof standingOf>; readonly after?: ReturnType<typeof standingOf> },
) =>
  auditMessage('identity', principal.organizationId, {
    ...doneBy({ principal, address }),
    action: `user.${event}`,
    resource: { type: 'user', id: userId },
    ...states,
  });
