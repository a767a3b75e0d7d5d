import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import type { Role } from '@settler/contracts/scopes';
import { type Selectable, sql } from 'kysely';
import type { Actor, Organization, SessionStore } from '../../../application/ports.ts';
import { decideRefresh, type RefreshDecision } from '../../../domain/session.ts';
import { requireAccount } from '../accounts/account-rows.ts';
import { isMemberless } from '../members/member-store.ts';
import { organizationOf } from '../members/organization-store.ts';
import { asUser, publicly, type Trx, underOrganization } from '../sight.ts';
import type { Database } from '../tables.ts';
import { endSession } from './session-endings.ts';
import { hashOf, insertSession, insertToken, type Mint, signedIn } from './session-rows.ts';

export interface SessionStoreNeeds {
  readonly postgres: Postgres<Database>;
  readonly outbox: Outbox;
  readonly mint: Mint;
  readonly lifetimeMs: number;
  readonly graceMs: number;
}

type Session = Selectable<Database['sessions']>;

export const createSessionStore = ({ postgres, outbox, mint, lifetimeMs, graceMs }: SessionStoreNeeds): SessionStore => ({
  begin: (account, sessionId, organizationId, address) =>
    publicly(postgres, async (trx) => {
      const { user, proof } = account;
      await requireAccount(trx, account);
      const membership = await membershipOf(trx, user.id, organizationId);
      if (membership === undefined && organizationId !== undefined) throw notFound('organization');
      if (membership === undefined) throw new Refusal('forbidden', await whyNowhere(trx, user.id));
      const { organization, role } = membership;
      const begun = await insertSession(trx, mint, { id: sessionId, user, organization, role, lifetimeMs });
      const entry = auditMessage('identity', organization.id, {
        actor: { type: 'user', id: user.id },
        address,
        action: 'session.started',
        resource: { type: 'session', id: sessionId },
        after: { userId: user.id, ...(proof === undefined ? {} : { secondFactor: proof.kind }) },
      });
      await underOrganization(trx, organization.id, () => outbox.append(trx, [entry]));
      return begun;
    }),

  endIfReused: (refreshToken, address) =>
    postgres.anonymous(async (trx) => {
      const shown = await lockSession(trx, mint, refreshToken, graceMs);
      if (shown?.decision !== 'reuse') return false;
      await endSession(trx, outbox, shown.session, 'reuse', { actor: identity, address });
      return true;
    }),

  refresh: (refreshToken, wanted, address) =>
    publicly(postgres, async (trx) => {
      const peeked = await sessionOf(trx, hashOf(refreshToken)).executeTakeFirst();
      if (peeked === undefined) throw tokenIsOver();
      // The membership before the session, in the order of whoever ends both: the other way round the two could wait for one another.
      await membershipOf(trx, peeked.user_id, wanted ?? peeked.organization_id);
      const shown = await lockSession(trx, mint, refreshToken, graceMs);
      if (shown === undefined || shown.decision === 'over' || shown.decision === 'reuse') throw tokenIsOver();
      const { session, generation, decision } = shown;
      const user = await trx
        .selectFrom('users')
        .select(['id', 'email', 'name'])
        .where('id', '=', session.user_id)
        .executeTakeFirstOrThrow();
      const membership = await membershipOf(trx, user.id, wanted ?? session.organization_id);
      if (membership === undefined) throw wanted === undefined ? tokenIsOver() : notFound('organization');
      const { organization, role } = membership;
      if (wanted !== undefined && wanted !== session.organization_id) await move(trx, outbox, session, wanted, address);
      const successor = decision === 'repeat' ? mint(session.id, session.generation) : await rotate(trx, mint, session.id, generation);
      return signedIn(user, organization, role, { id: session.id, endsAt: session.expires_at }, successor);
    }),

  end: (refreshToken, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const shown = await lockSession(trx, mint, refreshToken, graceMs);
      if (shown !== undefined) await endSession(trx, outbox, shown.session, 'logout', loggedOutBy(shown.session, actor));
    }),

  endOwn: (sessionId, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const session = await trx
        .selectFrom('sessions')
        .selectAll()
        .where('id', '=', sessionId)
        .where('user_id', '=', actor.principal.id)
        .forUpdate()
        .executeTakeFirst();
      if (session === undefined) throw notFound('session');
      requireRevision(ifMatch, unchanging);
      await endSession(trx, outbox, session, 'revoked', doneBy(actor));
    }),

  isActive: (sessionId, signedBy) =>
    postgres.anonymous(async (trx) => {
      const found = await trx
        .selectFrom('sessions')
        .select('id')
        .where('id', '=', sessionId)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom('revocations')
                .select('revision')
                .where('kind', '=', 'signingKey')
                .where('subject_id', '=', signedBy ?? ''),
            ),
          ),
        )
        .executeTakeFirst();
      return found !== undefined;
    }),

  isYounger: (sessionId, ms) =>
    postgres.anonymous(async (trx) => {
      const found = await trx
        .selectFrom('sessions')
        .select('id')
        .where('id', '=', sessionId ?? '')
        .where('created_at', '>', sql<Date>`now() - make_interval(secs => ${ms / 1000}::float8)`)
        .executeTakeFirst();
      return found !== undefined;
    }),
});

/** All that can happen to a session as its user sees it is that it ends. */
const unchanging = 1;

const identity = { type: 'system', id: 'identity' } as const;

/** Whoever has the token. The ids and addresses of another organization are nothing to the trail of this one. */
const loggedOutBy = ({ user_id: userId, organization_id: organizationId }: Session, actor: Actor) =>
  actor.principal.id === userId || actor.principal.organizationId === organizationId ? doneBy(actor) : { actor: identity, address: null };

const tokenIsOver = () => new Refusal('unauthenticated', 'The refresh token is not valid any more; log in again.');

interface Shown {
  readonly session: Session;
  readonly generation: number;
  readonly decision: RefreshDecision;
}

/**
 * The session of a token, locked, and what is to be done with it. The token is read after the lock is held: read with it, it
 * would be the token as it was before another refresh of the same session, which we may have waited for, replaced it.
 */
const lockSession = async (trx: Trx, mint: Mint, refreshToken: string, graceMs: number): Promise<Shown | undefined> => {
  const hash = hashOf(refreshToken);
  const session = await sessionOf(trx, hash).forUpdate().executeTakeFirst();
  if (session === undefined) return undefined;
  const token = await trx
    .selectFrom('refresh_tokens')
    .select(['generation', 'replaced_at', sql<Date>`clock_timestamp()`.as('now')])
    .where('hash', '=', hash)
    .executeTakeFirstOrThrow();
  const state = { generation: session.generation, expiresAt: session.expires_at, endedAt: session.ended_at };
  // Computed with another secret, which was changed because somebody knows it and could compute this one too.
  const isOurs = mint(session.id, token.generation) === refreshToken;
  const shown = { generation: token.generation, replacedAt: token.replaced_at };
  const decision = isOurs ? decideRefresh(state, shown, token.now, graceMs) : 'over';
  return { session, generation: token.generation, decision };
};

const sessionOf = (trx: Trx, hash: Buffer) =>
  trx
    .selectFrom('sessions')
    .selectAll()
    .where('id', '=', (subject) => subject.selectFrom('refresh_tokens').select('session_id').where('hash', '=', hash));

/** Its access tokens of the organization that it leaves live on, so it is kept that it was there. */
const move = async (
  trx: Trx,
  outbox: Outbox,
  { id, user_id: userId, organization_id: left }: Session,
  organizationId: string,
  address: string | null,
): Promise<void> => {
  await trx.updateTable('sessions').set({ organization_id: organizationId }).where('id', '=', id).execute();
  await trx
    .insertInto('session_departures')
    .values({ session_id: id, organization_id: left })
    .onConflict((conflict) => conflict.columns(['session_id', 'organization_id']).doUpdateSet({ left_at: sql<Date>`now()` }))
    .execute();
  // Which the other one is, is nothing to either of them.
  for (const [own, went] of [
    [left, 'out'],
    [organizationId, 'in'],
  ] as const) {
    const entry = auditMessage('identity', own, {
      actor: { type: 'user', id: userId },
      address,
      action: 'session.moved',
      resource: { type: 'session', id },
      after: { userId, went },
    });
    await underOrganization(trx, own, () => outbox.append(trx, [entry]));
  }
};

const rotate = async (trx: Trx, mint: Mint, sessionId: string, generation: number): Promise<string> => {
  await trx
    .updateTable('refresh_tokens')
    .set({ replaced_at: sql<Date>`clock_timestamp()` })
    .where('session_id', '=', sessionId)
    .where('generation', '=', generation)
    .execute();
  await trx
    .updateTable('sessions')
    .set({ generation: generation + 1 })
    .where('id', '=', sessionId)
    .execute();
  return insertToken(trx, mint, sessionId, generation + 1);
};

const whyNowhere = async (trx: Trx, userId: string): Promise<string> =>
  (await isMemberless(trx, userId))
    ? 'You are not a member of any organization: ask to be invited to one, or register one with this e-mail address and password.'
    : 'Your membership is disabled.';

/**
 * The user has proved who they are, so the transaction may see what they are a member of. Held until the commit: whoever takes the
 * membership away waits for it, and then finds the session that was begun or continued on its strength.
 */
const membershipOf = async (
  trx: Trx,
  userId: string,
  organizationId: string | undefined,
): Promise<{ organization: Organization; role: Role } | undefined> => {
  await asUser(trx, userId);
  const row = await trx
    .selectFrom('memberships')
    .innerJoin('organizations', 'organizations.organization_id', 'memberships.organization_id')
    .selectAll('organizations')
    .where('memberships.user_id', '=', userId)
    .where('memberships.disabled_at', 'is', null)
    .$if(organizationId !== undefined, (query) => query.where('memberships.organization_id', '=', organizationId ?? ''))
    .orderBy('memberships.created_at', 'desc')
    .orderBy('memberships.organization_id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const held = await underOrganization(trx, row.organization_id, () =>
    trx
      .selectFrom('memberships')
      .select('role')
      .where('organization_id', '=', row.organization_id)
      .where('user_id', '=', userId)
      .where('disabled_at', 'is', null)
      .forShare()
      .executeTakeFirst(),
  );
  return held && { organization: organizationOf(row), role: held.role };
};
