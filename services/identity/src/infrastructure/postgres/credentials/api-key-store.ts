import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, eventMessage, type Outbox } from '@settler/chassis/outbox';
import { actFor, type Postgres } from '@settler/chassis/postgres';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { apiKeyCreated, apiKeyRevoked, apiKeyRotated } from '@settler/contracts/events/identity';
import { scopesBeyond } from '@settler/contracts/scopes';
import { type Selectable, sql, type UpdateObject } from 'kysely';
import type { ApiKey, ApiKeyStore, NewApiKey } from '../../../application/api-keys.ts';
import type { Actor } from '../../../application/ports.ts';
import { lockedDoer } from '../members/doers.ts';
import { withdrawInvitationsBy } from '../members/invitation-endings.ts';
import { showingKey, type Trx } from '../sight.ts';
import type { Database } from '../tables.ts';
import { revoke } from './revocations.ts';

type Row = Selectable<Database['api_keys']>;

/** What a key is written as `in use` with at most; far below the minute by which `lastUsedAt` may lag. */
const touchSeconds = 10;
/** Of whatever changes a key. */
const scope = 'api-keys:write';

export const createApiKeyStore = (postgres: Postgres<Database>, outbox: Outbox): ApiKeyStore => ({
  insert: (key, admit, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      admit(await lockedDoer(trx, actor, scope));
      return insert(trx, outbox, key, actor);
    }),

  update: (id, ifMatch, { name, scopes, rateLimit, allowedIps, expiresAt }, admit, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const doer = await lockedDoer(trx, actor, scope);
      const before = await read(trx, id, ifMatch);
      if (before.status === 'revoked') throw new Refusal('conflict', 'The key is revoked and cannot be changed.');
      if (before.successorId !== null && expiresAt !== undefined && isLater(expiresAt, before.expiresAt))
        throw new Refusal('conflict', `The key was rotated into ${before.successorId}, and lives no longer than the grace it was given.`);
      const apiKey = await change(trx, id, {
        ...(name === undefined ? {} : { name }),
        ...(scopes === undefined ? {} : { scopes }),
        ...(rateLimit === undefined ? {} : { rate_limit: rateLimit === null ? null : JSON.stringify(rateLimit) }),
        ...(allowedIps === undefined ? {} : { allowed_ips: allowedIps }),
        ...(expiresAt === undefined ? {} : { expires_at: expiresAt }),
      });
      admit(apiKey, doer);
      if (scopes !== undefined) await withdrawInvitationsBy(trx, outbox, id, actor, { role: undefined, scopes });
      await outbox.append(trx, [audit(apiKey, actor, 'updated', { before: auditView(before), after: auditView(apiKey) })]);
      await revoke(trx, 'apiKey', [id], isLess(apiKey, before) ? 'now' : (apiKey.expiresAt ?? 'never'));
      return apiKey;
    }),

  rotate: (id, ifMatch, successor, graceSeconds, admit, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const doer = await lockedDoer(trx, actor, scope);
      const before = await read(trx, id, ifMatch);
      if (before.status !== 'active') throw new Refusal('conflict', `The key is ${before.status} and cannot be rotated.`);
      if (before.successorId !== null)
        throw new Refusal('conflict', `The key was rotated already, into ${before.successorId}; rotate that one.`);
      admit(before, doer);
      const { name, scopes, rateLimit, allowedIps, expiresAt } = before;
      const apiKey = await insert(trx, outbox, { ...successor, name, scopes, rateLimit, allowedIps, expiresAt }, actor);
      const ended = await change(trx, id, {
        successor_id: apiKey.id,
        ...(graceSeconds === 0
          ? { revoked_at: sql<Date>`now()` }
          : { expires_at: sql<Date>`least(expires_at, now() + make_interval(secs => ${graceSeconds}))` }),
      });
      await outbox.append(trx, [
        eventMessage(apiKeyRotated, aboutOf(ended), { ...eventData(ended), successorId: apiKey.id }),
        audit(ended, actor, 'rotated', { before: auditView(before), after: { ...auditView(ended), successor: apiKey.id } }),
      ]);
      if (graceSeconds === 0) await withdrawInvitationsBy(trx, outbox, id, actor);
      // They stand as long as whoever takes the key's place may make them.
      else await trx.updateTable('invitations').set({ invited_by_id: apiKey.id }).where('invited_by_id', '=', id).execute();
      await revoke(trx, 'apiKey', [id], (graceSeconds === 0 ? null : ended.expiresAt) ?? 'now');
      return apiKey;
    }),

  revoke: (id, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      await lockedDoer(trx, actor, scope);
      const before = await read(trx, id, ifMatch);
      if (before.status === 'revoked') return;
      await end(trx, outbox, before, actor);
      await revoke(trx, 'apiKey', [id]);
    }),

  findByLocator: (locator) =>
    postgres.anonymous(async (trx) => {
      await showingKey(trx, locator);
      const row = await trx.selectFrom('api_keys').selectAll().where('locator', '=', locator).executeTakeFirst();
      return row && { ...viewOf(row), hash: row.hash };
    }),

  touch: (organizationId, id) =>
    postgres.anonymous(async (trx) => {
      await actFor(trx, organizationId);
      await trx
        .updateTable('api_keys')
        .set({ last_used_at: sql<Date>`now()` })
        .where('id', '=', id)
        .where(sql<boolean>`coalesce(last_used_at < now() - make_interval(secs => ${touchSeconds}), true)`)
        .execute();
    }),
});

/** Downloads that are going on need not end because their key has another name or limit, lives longer, or may do more than before. */
const isLess = ({ scopes, allowedIps }: ApiKey, before: ApiKey): boolean =>
  scopesBeyond(scopes, before.scopes).length > 0 ||
  (allowedIps.length > 0 && (before.allowedIps.length === 0 || before.allowedIps.some((address) => !allowedIps.includes(address))));

/** Null is never. */
const isLater = (end: Date | null, than: Date | null): boolean => than !== null && (end === null || end > than);

const insert = async (trx: Trx, outbox: Outbox, key: NewApiKey, actor: Actor): Promise<ApiKey> => {
  const row = await trx
    .insertInto('api_keys')
    .values({
      id: key.id,
      organization_id: actor.principal.organizationId,
      name: key.name,
      locator: key.locator,
      prefix: key.prefix,
      hash: key.hash,
      scopes: key.scopes,
      rate_limit: key.rateLimit === null ? null : JSON.stringify(key.rateLimit),
      allowed_ips: key.allowedIps,
      expires_at: key.expiresAt,
      created_by_type: actor.principal.kind,
      created_by_id: actor.principal.id,
      owner_id: actor.principal.personId,
      created_at: key.createdAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const apiKey = viewOf(row);
  await outbox.append(trx, [
    eventMessage(apiKeyCreated, aboutOf(apiKey), eventData(apiKey)),
    audit(apiKey, actor, 'created', { after: auditView(apiKey) }),
  ]);
  return apiKey;
};

const end = async (trx: Trx, outbox: Outbox, before: ApiKey, actor: Actor): Promise<void> => {
  await withdrawInvitationsBy(trx, outbox, before.id, actor);
  const apiKey = await change(trx, before.id, { revoked_at: sql<Date>`now()` });
  await outbox.append(trx, [
    eventMessage(apiKeyRevoked, aboutOf(apiKey), eventData(apiKey)),
    audit(apiKey, actor, 'revoked', { before: auditView(before), after: auditView(apiKey) }),
  ]);
};

/** Keys that a user answers for: those that the user has made, and those that these have. */
export const ofUser = (userId: string) => sql<boolean>`(created_by_id = ${userId} or owner_id = ${userId})`;

/** Revokes whatever keys a user answers for here. Inside the transaction of somebody who holds the lock of `lockedDoer`, near its end. */
export const revokeKeysOf = async (trx: Trx, outbox: Outbox, userId: string, actor: Actor): Promise<void> => {
  const rows = await trx
    .selectFrom('api_keys')
    .selectAll()
    .where('organization_id', '=', actor.principal.organizationId)
    .where(ofUser(userId))
    .where('revoked_at', 'is', null)
    .orderBy('id')
    .execute();
  for (const row of rows) await end(trx, outbox, viewOf(row), actor);
  await revoke(
    trx,
    'apiKey',
    rows.map(({ id }) => id),
  );
};

const read = async (trx: Trx, id: string, ifMatch: number | undefined): Promise<ApiKey> => {
  const row = await trx.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('API key');
  requireRevision(ifMatch, row.revision);
  return viewOf(row);
};

const change = async (trx: Trx, id: string, values: UpdateObject<Database, 'api_keys'>): Promise<ApiKey> => {
  const row = await trx
    .updateTable('api_keys')
    .set({ ...values, revision: sql<bigint>`revision + 1` })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return viewOf(row);
};

export const viewOf = (row: Row): ApiKey => ({
  id: row.id,
  organizationId: row.organization_id,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  rateLimit: row.rate_limit,
  allowedIps: row.allowed_ips,
  expiresAt: row.expires_at,
  createdBy: { type: row.created_by_type, id: row.created_by_id },
  // Keys from before owners were kept say who created them.
  ownerId: row.owner_id ?? (row.created_by_type === 'user' ? row.created_by_id : null),
  successorId: row.successor_id,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
  status: statusOf(row),
  revision: row.revision,
});

const statusOf = ({ revoked_at: revokedAt, expires_at: expiresAt }: Row): ApiKey['status'] => {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= new Date() ? 'expired' : 'active';
};

const aboutOf = ({ id, organizationId, revision }: ApiKey) => ({ organizationId, aggregateId: id, aggregateVersion: Number(revision) });

const eventData = ({ id, organizationId, name, prefix, scopes, expiresAt }: ApiKey) => ({
  apiKeyId: id,
  organizationId,
  name,
  prefix,
  scopes: [...scopes],
  expiresAt: expiresAt?.toISOString() ?? null,
});

const auditView = ({ name, prefix, scopes, rateLimit, allowedIps, expiresAt, status }: ApiKey) => ({
  name,
  prefix,
  scopes,
  rateLimit,
  allowedIps,
  expiresAt: expiresAt?.toISOString() ?? null,
  status,
});

const audit = (
  apiKey: ApiKey,
  { principal, address }: Actor,
  event: 'created' | 'updated' | 'rotated' | 'revoked',
  change: { before?: object; after: object },
) =>
  auditMessage('identity', apiKey.organizationId, {
    ...doneBy({ principal, address }),
    action: `api-key.${event}`,
    resource: { type: 'api-key', id: apiKey.id },
    ...(change.before === undefined ? {} : { before: { ...change.before } }),
    after: { ...change.after },
  });
