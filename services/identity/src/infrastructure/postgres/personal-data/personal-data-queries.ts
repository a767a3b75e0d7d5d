/** What is known of somebody who is or was a member as a person, and how far an erasure has come. */
import type { Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import type { Erasure, PersonalData } from '../../../application/personal-data.ts';
import type { Queries } from '../../../application/queries.ts';
import { ofUser } from '../credentials/api-key-store.ts';
import { members } from '../members/member-store.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { isSinceDeparture } from './erasure-steps.ts';

/** Sessions and keys that the organization still has are fewer; whoever has more has the newest of them here. */
const rowsMax = 1_000;

export const createPersonalDataQueries = (postgres: Postgres<Database>): Pick<Queries, 'personalData' | 'erasure'> => ({
  personalData: (organizationId, userId) =>
    postgres.reading(organizationId, async (trx): Promise<PersonalData | undefined> => {
      const member = await members(trx, organizationId).where('memberships.user_id', '=', userId).executeTakeFirst();
      const user = member ?? (await departed(trx, organizationId, userId));
      if (user === undefined) return undefined;
      const sessions = await trx
        .selectFrom('sessions')
        .select(['id', 'created_at as createdAt', 'expires_at as expiresAt', 'ended_at as endedAt'])
        .where('user_id', '=', userId)
        .where('organization_id', '=', organizationId)
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowsMax)
        .execute();
      const apiKeys = await trx
        .selectFrom('api_keys')
        .select(['id', 'name', 'created_at as createdAt'])
        .where('organization_id', '=', organizationId)
        .where(ofUser(userId))
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .limit(rowsMax)
        .execute();
      return { user, membership: member ?? null, sessions, apiKeys, addresses: await addressesOf(trx, organizationId, userId) };
    }),

  erasure: (organizationId, id) =>
    postgres.reading(organizationId, async (trx): Promise<Erasure | undefined> => {
      const row = await trx.selectFrom('erasures').selectAll().where('id', '=', id).executeTakeFirst();
      if (row === undefined) return undefined;
      const steps = await trx
        .selectFrom('erasure_steps')
        .select(['service', 'done_at as doneAt'])
        .where('erasure_id', '=', id)
        .orderBy('service')
        .execute();
      return { id, userId: row.user_id, requestedAt: row.requested_at, completedAt: row.completed_at, steps };
    }),
});

/** Not once the person was erased here: what is left is the account of somebody in other organizations. */
const departed = (trx: Trx, organizationId: string, userId: string) =>
  trx
    .selectFrom('departed_members')
    .innerJoin('users', 'users.id', 'departed_members.user_id')
    .select(['users.id', 'users.email', 'users.name'])
    .where('departed_members.organization_id', '=', organizationId)
    .where('departed_members.user_id', '=', userId)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('erasures')
            .select('erasures.id')
            .where('erasures.organization_id', '=', organizationId)
            .where('erasures.user_id', '=', userId)
            .where(isSinceDeparture),
        ),
      ),
    )
    .executeTakeFirst();

const addressesOf = async (trx: Trx, organizationId: string, userId: string): Promise<PersonalData['addresses']> => {
  const rows = await trx
    .selectFrom('audit_entries')
    .select(({ fn }) => [
      sql<string>`address`.as('address'),
      fn.countAll<bigint>().as('entries'),
      fn.min('at').as('firstSeenAt'),
      fn.max('at').as('lastSeenAt'),
    ])
    .where('organization_id', '=', organizationId)
    .where(sql<boolean>`(actor_id = ${userId} or actor_id in (select id from api_keys where ${ofUser(userId)}))`)
    .where('address', 'is not', null)
    .groupBy('address')
    .orderBy('lastSeenAt', 'desc')
    .limit(rowsMax)
    .execute();
  return rows.map(({ entries, ...rest }) => ({ ...rest, entries: Number(entries) }));
};
