import { newestFirst } from '@settler/chassis/newest-first';
import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { sql } from 'kysely';
import type { Queries } from '../../application/queries.ts';
import { viewOf } from './credentials/api-key-store.ts';
import { invitationOf, standing } from './members/invitation-store.ts';
import { members } from './members/member-store.ts';
import { organizationOf } from './members/organization-store.ts';
import { createPersonalDataQueries } from './personal-data/personal-data-queries.ts';
import { asUser } from './sight.ts';
import type { Database } from './tables.ts';

export const createQueries = (postgres: Postgres<Database>, cursors: Cursors): Queries => ({
  organization: (organizationId) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('organizations').selectAll().where('organization_id', '=', organizationId).executeTakeFirst();
      return row && { organization: organizationOf(row), revision: row.revision };
    }),

  organizationsOf: (userId, { limit, cursor }) =>
    postgres.anonymous(async (trx) => {
      await asUser(trx, userId);
      const list = `organizations of ${userId}`;
      const [time, id] = cursors.read(list, cursor) ?? [];
      const rows = await trx
        .selectFrom('memberships')
        .innerJoin('organizations', 'organizations.organization_id', 'memberships.organization_id')
        .selectAll('organizations')
        .select(['memberships.role', 'memberships.created_at as joined_at'])
        .where('memberships.user_id', '=', userId)
        .where('memberships.disabled_at', 'is', null)
        .$if(time !== undefined, (query) =>
          query.where(sql<boolean>`(memberships.created_at, memberships.organization_id) < (${String(time)}::timestamptz, ${String(id)})`),
        )
        .orderBy('memberships.created_at', 'desc')
        .orderBy('memberships.organization_id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(
        rows,
        limit,
        (row) => ({ ...organizationOf(row), role: row.role }),
        (row) => cursors.write(list, [row.joined_at.toISOString(), row.organization_id]),
      );
    }),

  isActiveMember: (organizationId, userId) =>
    postgres.reading(organizationId, async (trx) => {
      const found = await trx
        .selectFrom('memberships')
        .select('user_id')
        .where('organization_id', '=', organizationId)
        .where('user_id', '=', userId)
        .where('disabled_at', 'is', null)
        .executeTakeFirst();
      return found !== undefined;
    }),

  members: (organizationId, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = `members of ${organizationId}`;
      const [time, id] = cursors.read(list, cursor) ?? [];
      const rows = await members(trx, organizationId)
        .$if(time !== undefined, (query) =>
          query.where(sql<boolean>`(memberships.created_at, memberships.user_id) < (${String(time)}::timestamptz, ${String(id)})`),
        )
        .orderBy('memberships.created_at', 'desc')
        .orderBy('memberships.user_id', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(
        rows,
        limit,
        (row) => row,
        (row) => cursors.write(list, [row.joinedAt.toISOString(), row.id]),
      );
    }),

  ...createPersonalDataQueries(postgres),

  invitation: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await standing(trx).where('id', '=', id).executeTakeFirst();
      return row && invitationOf(row);
    }),

  invitations: (organizationId, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = `invitations of ${organizationId}`;
      return newestFirst(standing(trx), { cursors, list, limit, cursor }, invitationOf);
    }),

  sessionsOf: (userId, { limit, cursor }) =>
    postgres.anonymous(async (trx) => {
      const list = `sessions of ${userId}`;
      const open = trx
        .selectFrom('sessions')
        .select(['id', 'organization_id', 'created_at', 'expires_at'])
        .select((one) =>
          one
            .selectFrom('refresh_tokens')
            .select(({ fn }) => fn.max('replaced_at').as('at'))
            .whereRef('session_id', '=', 'sessions.id')
            .as('refreshed_at'),
        )
        .where('user_id', '=', userId)
        .where('ended_at', 'is', null)
        .where('expires_at', '>', sql<Date>`now()`);
      return newestFirst(open, { cursors, list, limit, cursor }, (row) => ({
        id: row.id,
        organizationId: row.organization_id,
        createdAt: row.created_at,
        refreshedAt: row.refreshed_at,
        expiresAt: row.expires_at,
      }));
    }),

  apiKey: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
      return row && viewOf(row);
    }),

  apiKeys: (organizationId, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = `api keys of ${organizationId}`;
      return newestFirst(trx.selectFrom('api_keys').selectAll(), { cursors, list, limit, cursor }, viewOf);
    }),
});
