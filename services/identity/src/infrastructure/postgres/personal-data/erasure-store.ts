import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, type Outbox, type OutboxMessage } from '@settler/chassis/outbox';
import { afterCommit, type Postgres } from '@settler/chassis/postgres';
import { notFound } from '@settler/chassis/refusal';
import { askedToErase, erasureRequest, erasureRequestType } from '@settler/contracts/internal/erasure';
import { erasureRequestSubject } from '@settler/contracts/subjects';
import { sql } from 'kysely';
import type { DueErasure, Erasures } from '../../../application/personal-data.ts';
import type { Actor, Throttle } from '../../../application/ports.ts';
import { ofUser, revokeKeysOf } from '../credentials/api-key-store.ts';
import { lockedDoer } from '../members/doers.ts';
import { withdrawInvitationOf } from '../members/invitation-endings.ts';
import { members, removeMember } from '../members/member-store.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { completeStep, isSinceDeparture } from './erasure-steps.ts';

export interface ErasureNeeds {
  readonly postgres: Postgres<Database>;
  readonly outbox: Outbox;
  readonly throttle: Pick<Throttle, 'forget'>;
  /** How long the first try lasts before it is taken up again; each further one twice as long, up to an hour. */
  readonly retryMs: number;
  readonly wake: () => void;
}

const retryMsMax = 3600_000;
const batchRows = 5_000;

export const createErasures = ({ postgres, outbox, throttle, retryMs, wake }: ErasureNeeds): Erasures => ({
  request: (id, userId, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const { organizationId } = actor.principal;
      const doer = await lockedDoer(trx, actor, 'members:write');
      const member = await members(trx, organizationId).where('memberships.user_id', '=', userId).executeTakeFirst();
      const running = member === undefined ? await runningSinceDeparture(trx, userId, ifMatch) : undefined;
      const wasInvited = await withdrawInvitationOf(trx, outbox, doer, userId, actor);
      // What it forgets here it may have forgotten already: an answer to an invitation of today, which names the address, would stay.
      if (running !== undefined && !wasInvited) return running;
      await begin(trx, outbox, { id, organizationId, userId, attempts: 0 }, actor);
      if (member !== undefined) await removeMember(trx, outbox, doer, userId, ifMatch, actor);
      await revokeKeysOf(trx, outbox, userId, actor);
      afterCommit(wake);
      return id;
    }),

  sayExported: (userId, { principal, address }) =>
    postgres.organization(principal.organizationId, (trx) =>
      outbox.append(trx, [
        auditMessage('identity', principal.organizationId, {
          ...doneBy({ principal, address }),
          action: 'user.exported',
          resource: { type: 'user', id: userId },
        }),
      ]),
    ),

  claim: async (count) => {
    const { rows } = await sql<DueErasure>`
      update erasures set attempts = attempts + 1,
             next_attempt_at = now() + make_interval(secs => least(${retryMs}::float8 * 2 ^ least(attempts, 30), ${retryMsMax}) / 1000)
       where id in (select id from erasures where completed_at is null and next_attempt_at <= now()
                     order by next_attempt_at limit ${count} for update skip locked)
      returning id, organization_id as "organizationId", user_id as "userId", attempts`.execute(postgres.systemDb);
    return rows;
  },

  eraseHere: async (erasure) => {
    const step = await postgres.systemDb
      .selectFrom('erasure_steps')
      .select('done_at')
      .where('erasure_id', '=', erasure.id)
      .where('service', '=', 'identity')
      .executeTakeFirst();
    // Whoever has come back in the meantime is not erased again.
    if (step?.done_at !== null) return;
    await clearAddresses(postgres, erasure);
    await forgetAnswers(postgres, erasure.userId, await emailOf(postgres, erasure.userId), erasure.organizationId);
    await eraseAccount(postgres, throttle, erasure.userId);
    await postgres.organization(erasure.organizationId, (trx) =>
      completeStep(trx, outbox, { erasureId: erasure.id, organizationId: erasure.organizationId, service: 'identity' }),
    );
  },

  askAgain: (erasure) =>
    postgres.organization(erasure.organizationId, async (trx) => {
      const left = await trx
        .selectFrom('erasure_steps')
        .select('service')
        .where('erasure_id', '=', erasure.id)
        .where('done_at', 'is', null)
        .execute();
      await outbox.append(trx, askedToErase.filter((service) => left.some((step) => step.service === service)).map(requestTo(erasure)));
    }),
});

const begin = async (trx: Trx, outbox: Outbox, erasure: DueErasure, { principal, address }: Actor): Promise<void> => {
  const { id, organizationId, userId } = erasure;
  await trx
    .insertInto('erasures')
    .values({ id, organization_id: organizationId, user_id: userId, requested_by_type: principal.kind, requested_by_id: principal.id })
    .execute();
  await trx
    .insertInto('erasure_steps')
    .values((['identity', ...askedToErase] as const).map((service) => ({ erasure_id: id, organization_id: organizationId, service })))
    .execute();
  await outbox.append(trx, [
    ...askedToErase.map(requestTo(erasure)),
    auditMessage('identity', organizationId, {
      ...doneBy({ principal, address }),
      action: 'user.erasure_requested',
      resource: { type: 'user', id: userId },
      after: { erasureId: id },
    }),
  ]);
};

const requestTo =
  ({ id, organizationId, userId, attempts }: DueErasure) =>
  (service: (typeof askedToErase)[number]): OutboxMessage => ({
    subject: erasureRequestSubject(service),
    type: erasureRequestType,
    organizationId,
    aggregateId: id,
    aggregateVersion: attempts + 1,
    data: erasureRequest.parse({ erasureId: id, userId }),
  });

/**
 * Who has left may still be erased: addresses stand in the trail. An erasure that goes on counts where it was asked for since, because one
 * from before a return knows nothing of what came then.
 * @throws Refusal `not_found` for who never was a member, `version_conflict`
 */
const runningSinceDeparture = async (trx: Trx, userId: string, ifMatch: number | undefined): Promise<string | undefined> => {
  const departed = await trx.selectFrom('departed_members').select('revision').where('user_id', '=', userId).executeTakeFirst();
  if (departed === undefined) throw notFound('member');
  const running = await trx
    .selectFrom('erasures')
    .innerJoin('departed_members', 'departed_members.user_id', 'erasures.user_id')
    .select('erasures.id')
    .where('erasures.user_id', '=', userId)
    .where('erasures.completed_at', 'is', null)
    .where(isSinceDeparture)
    .orderBy('erasures.requested_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  // Whoever asks once more still names the membership that it has ended.
  const isRepeated = running !== undefined && ifMatch !== undefined && BigInt(ifMatch) + 1n === departed.revision;
  if (!isRepeated) requireRevision(ifMatch, departed.revision);
  return running?.id;
};

/**
 * Those from which the user acted in this organization, and those of the user's sessions and keys there, whoever acted. The chain does not
 * cover them.
 */
const clearAddresses = async (postgres: Postgres<Database>, { organizationId, userId }: DueErasure): Promise<void> => {
  let cleared = BigInt(batchRows);
  while (cleared === BigInt(batchRows)) {
    const { numAffectedRows } = await sql`
      update audit_entries set address = null
       where ctid = any(array(
         select ctid from audit_entries
          where organization_id = ${organizationId} and address is not null
            and (actor_id = ${userId} or (resource_type = 'session' and strpos(after_state, ${`"userId":"${userId}"`}) > 0)
                 or actor_id in (select id from api_keys where organization_id = ${organizationId} and ${ofUser(userId)}))
          limit ${batchRows}))`.execute(postgres.systemDb);
    cleared = numAffectedRows ?? 0n;
  }
};

/** The account goes with the last membership. Somebody who joins another organization in this very moment keeps it. */
const eraseAccount = async (postgres: Postgres<Database>, throttle: Pick<Throttle, 'forget'>, userId: string): Promise<void> => {
  const isMember = (trx: Trx) => trx.selectFrom('memberships').select('user_id').where('user_id', '=', userId).executeTakeFirst();
  const user = await postgres.system(async (trx) => {
    if ((await isMember(trx)) !== undefined) return undefined;
    return trx.selectFrom('users').select('email').where('id', '=', userId).executeTakeFirst();
  });
  if (user === undefined) return;
  await throttle.forget(user.email);
  await postgres.system(async (trx) => {
    for (const table of ['password_resets', 'sessions'] as const) await trx.deleteFrom(table).where('user_id', '=', userId).execute();
    await trx.deleteFrom('users').where('id', '=', userId).execute();
  });
  await forgetAnswers(postgres, userId, user.email);
};

const emailOf = async (postgres: Postgres<Database>, userId: string): Promise<string | undefined> =>
  (await postgres.systemDb.selectFrom('users').select('email').where('id', '=', userId).executeTakeFirst())?.email;

/**
 * Those that are kept for requests which are made again, and name the user, by id or as an invitation does, by the address; here, or
 * everywhere.
 */
const forgetAnswers = async (
  postgres: Postgres<Database>,
  userId: string,
  email: string | undefined,
  organizationId?: string,
): Promise<void> => {
  const here = organizationId === undefined ? sql`true` : sql`organization_id = ${organizationId}`;
  // With its quotes: the address may be the end of another one.
  const names = [userId, ...(email === undefined ? [] : [JSON.stringify(email)])];
  await sql`
    delete from idempotency_keys
     where ${here} and exists (select 1 from unnest(${names}::text[]) as name where strpos(body, name) > 0)`.execute(postgres.systemDb);
};
