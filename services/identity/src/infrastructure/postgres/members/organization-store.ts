import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, eventMessage, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { notFound } from '@settler/chassis/refusal';
import { organizationUpdated } from '@settler/contracts/events/identity';
import { type Selectable, sql } from 'kysely';
import type { Organization, OrganizationStore } from '../../../application/ports.ts';
import type { Database } from '../tables.ts';
import { lockedDoer } from './doers.ts';

export const createOrganizationStore = (postgres: Postgres<Database>, outbox: Outbox): OrganizationStore => ({
  update: (ifMatch, { name, baseCurrency }, { principal, address }) =>
    postgres.organization(principal.organizationId, async (trx) => {
      const { organizationId } = principal;
      await lockedDoer(trx, { principal, address }, 'members:write');
      const row = await trx.selectFrom('organizations').selectAll().where('organization_id', '=', organizationId).executeTakeFirst();
      if (row === undefined) throw notFound('organization');
      requireRevision(ifMatch, row.revision);
      const before = organizationOf(row);
      // The slug stays: addresses that were given out go on working.
      const changed = await trx
        .updateTable('organizations')
        .set({ name: name ?? row.name, base_currency: baseCurrency ?? row.base_currency, revision: sql<bigint>`revision + 1` })
        .where('organization_id', '=', organizationId)
        .returningAll()
        .executeTakeFirstOrThrow();
      const organization = organizationOf(changed);
      await outbox.append(trx, [
        eventMessage(
          organizationUpdated,
          { organizationId, aggregateId: organizationId, aggregateVersion: Number(changed.revision) },
          { organizationId, ...auditView(organization), createdAt: organization.createdAt.toISOString() },
        ),
        auditMessage('identity', organizationId, {
          ...doneBy({ principal, address }),
          action: 'organization.updated',
          resource: { type: 'organization', id: organizationId },
          before: auditView(before),
          after: auditView(organization),
        }),
      ]);
      return { organization, revision: changed.revision };
    }),
});

const auditView = ({ name, slug, baseCurrency }: Organization) => ({ name, slug, baseCurrency });

export const organizationOf = (row: Selectable<Database['organizations']>): Organization => ({
  id: row.organization_id,
  name: row.name,
  slug: row.slug,
  baseCurrency: row.base_currency,
  createdAt: row.created_at,
});
