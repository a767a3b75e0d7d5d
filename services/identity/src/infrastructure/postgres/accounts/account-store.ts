import { auditMessage, eventMessage, type Outbox } from '@settler/chassis/outbox';
import type { Postgres } from '@settler/chassis/postgres';
import { organizationCreated, userRegistered } from '@settler/contracts/events/identity';
import type { Selectable } from 'kysely';
import type { Account, AccountStore, Authenticated, Organization, Registration } from '../../../application/ports.ts';
import { emptyHead, type Hmac, headSeal } from '../../../domain/audit-chain.ts';
import { insertSession, type Mint } from '../credentials/session-rows.ts';
import { isMemberless } from '../members/member-store.ts';
import { publicly, type Trx, underOrganization } from '../sight.ts';
import type { Database } from '../tables.ts';
import { insertUser, requireAccount } from './account-rows.ts';

export interface AccountStoreNeeds {
  readonly postgres: Postgres<Database>;
  readonly outbox: Outbox;
  readonly mint: Mint;
  readonly sessionLifetimeMs: number;
  readonly chainHmac: Hmac;
}

export const createAccountStore = ({ postgres, outbox, mint, sessionLifetimeMs, chainHmac }: AccountStoreNeeds): AccountStore => ({
  find: (userId) =>
    postgres.anonymous(async (trx) => {
      const row = await trx.selectFrom('users').selectAll().where('id', '=', userId).executeTakeFirst();
      return row && accountOf(row);
    }),

  findByEmail: (email) =>
    postgres.anonymous(async (trx) => {
      const row = await trx.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst();
      return row && accountOf(row);
    }),

  isMemberless: (userId) => postgres.anonymous((trx) => isMemberless(trx, userId)),

  register: (registration) =>
    publicly(postgres, async (trx) => {
      const { account, isNew, sessionId, organization: founded } = registration;
      const { user } = account;
      const isFree = isNew ? await insertUser(trx, account, founded.createdAt) : await provesMemberless(trx, account);
      if (!isFree) return undefined;
      return underOrganization(trx, registration.organization.id, async () => {
        const organization = await insertOrganization(trx, registration);
        const { id: organizationId, createdAt } = organization;
        await trx
          .insertInto('memberships')
          .values({ organization_id: organizationId, user_id: user.id, role: 'owner', created_at: createdAt })
          .execute();
        await trx
          .insertInto('audit_heads')
          .values({ organization_id: organizationId, ...emptyHead, seal: headSeal(organizationId, emptyHead, chainHmac) })
          .execute();
        const session = { id: sessionId, user, organization, role: 'owner' as const, lifetimeMs: sessionLifetimeMs };
        const begun = await insertSession(trx, mint, session);
        await outbox.append(trx, messagesOf(registration, organization));
        return begun;
      });
    }),
});

const accountOf = (row: Selectable<Database['users']>): Account => ({
  user: { id: row.id, email: row.email, name: row.name },
  passwordHash: row.password_hash,
});

/** Of two that found an organization at once, the second finds a member. */
const provesMemberless = async (trx: Trx, account: Authenticated): Promise<boolean> => {
  await trx.selectFrom('users').select('id').where('id', '=', account.user.id).forUpdate().execute();
  await requireAccount(trx, account);
  return isMemberless(trx, account.user.id);
};

const insertOrganization = async (trx: Trx, { organization, slugs }: Registration): Promise<Organization> => {
  for (const slug of slugs) {
    const { numInsertedOrUpdatedRows } = await trx
      .insertInto('organizations')
      .values({
        organization_id: organization.id,
        name: organization.name,
        slug,
        base_currency: organization.baseCurrency,
        created_at: organization.createdAt,
      })
      .onConflict((conflict) => conflict.column('slug').doNothing())
      .executeTakeFirst();
    if (numInsertedOrUpdatedRows === 1n) return { ...organization, slug };
  }
  throw new Error('no slug was free');
};

const messagesOf = ({ account: { user }, address }: Registration, organization: Organization) => {
  const { id: organizationId, name, slug, baseCurrency, createdAt } = organization;
  const by = { actor: { type: 'user' as const, id: user.id }, address };
  const membership = { userId: user.id, organizationId, role: 'owner' as const };
  return [
    eventMessage(
      organizationCreated,
      { organizationId, aggregateId: organizationId, aggregateVersion: 1 },
      { organizationId, name, slug, baseCurrency, createdAt: createdAt.toISOString() },
    ),
    eventMessage(userRegistered, { organizationId, aggregateId: user.id, aggregateVersion: 1 }, membership),
    auditMessage('identity', organizationId, {
      ...by,
      action: 'organization.created',
      resource: { type: 'organization', id: organizationId },
      after: { name, slug, baseCurrency },
    }),
    auditMessage('identity', organizationId, {
      ...by,
      action: 'user.registered',
      resource: { type: 'user', id: user.id },
      after: { role: 'owner' },
    }),
  ];
};
