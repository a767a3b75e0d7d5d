/** Accepting an invitation, inside a transaction of a public route: the token is used up, and there is a member and a session. */
import { auditMessage, eventMessage, type Outbox } from '@settler/chassis/outbox';
import { Refusal } from '@settler/chassis/refusal';
import { userJoined } from '@settler/contracts/events/identity';
import type { Role } from '@settler/contracts/scopes';
import { sql } from 'kysely';
import type { Acceptance, Account, SignedIn } from '../../../application/ports.ts';
import { insertUser, requireAccount } from '../accounts/account-rows.ts';
import { insertSession, type Mint } from '../credentials/session-rows.ts';
import { showingInvitation, type Trx, underOrganization } from '../sight.ts';
import { stands } from './invitation-endings.ts';
import { organizationOf } from './organization-store.ts';

/** What somebody who joins is given a session with. */
export interface Joining {
  readonly outbox: Outbox;
  readonly mint: Mint;
  readonly lifetimeMs: number;
}

export const acceptInvitation = async (
  trx: Trx,
  { outbox, mint, lifetimeMs }: Joining,
  tokenHash: Buffer,
  { account, isNew, sessionId, address }: Acceptance,
): Promise<SignedIn | undefined> => {
  await showingInvitation(trx, tokenHash);
  const shown = await trx.selectFrom('invitations').select('organization_id').where('token_hash', '=', tokenHash).executeTakeFirst();
  if (shown === undefined) return undefined;
  const { organization_id: organizationId } = shown;
  return underOrganization(trx, organizationId, async () => {
    const used = await trx
      .deleteFrom('invitations')
      .where('token_hash', '=', tokenHash)
      .where(stands)
      .returning(['id', 'role'])
      .executeTakeFirst();
    if (used === undefined) return undefined;
    const { user } = account;
    await (isNew ? makeAccount(trx, account) : requireAccount(trx, account));
    const revision = await insertMembership(trx, organizationId, user.id, used.role);
    const row = await trx.selectFrom('organizations').selectAll().where('organization_id', '=', organizationId).executeTakeFirstOrThrow();
    const session = { id: sessionId, user, organization: organizationOf(row), role: used.role, lifetimeMs };
    const begun = await insertSession(trx, mint, session);
    const joined = { userId: user.id, organizationId, role: used.role, invitationId: used.id };
    await outbox.append(trx, [
      eventMessage(userJoined, { organizationId, aggregateId: user.id, aggregateVersion: Number(revision) }, joined),
      auditMessage('identity', organizationId, {
        actor: { type: 'user', id: user.id },
        address,
        action: 'user.joined',
        resource: { type: 'user', id: user.id },
        after: { role: used.role, invitationId: used.id, sessionId },
      }),
    ]);
    return begun;
  });
};

const makeAccount = async (trx: Trx, account: Account): Promise<void> => {
  if (!(await insertUser(trx, account, sql<Date>`now()`)))
    throw new Refusal('conflict', 'An account with the address of the invitation was made at the same time; accept with its password.');
};

/** Its revision goes on from that of an earlier membership: whoever listens takes what is newer, and would take 1 for old. */
const insertMembership = async (trx: Trx, organizationId: string, userId: string, role: Role): Promise<bigint> => {
  const departed = await trx
    .selectFrom('departed_members')
    .select('revision')
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  const revision = (departed?.revision ?? 0n) + 1n;
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto('memberships')
    .values({ organization_id: organizationId, user_id: userId, role, revision, created_at: sql<Date>`now()` })
    .onConflict((conflict) => conflict.columns(['organization_id', 'user_id']).doNothing())
    .executeTakeFirst();
  if (numInsertedOrUpdatedRows === 0n) throw new Refusal('conflict', 'You are a member of this organization already.');
  return revision;
};
