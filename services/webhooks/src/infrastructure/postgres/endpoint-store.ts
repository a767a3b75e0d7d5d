import { requireRevision } from '@settler/chassis/entity-tag';
import { auditMessage, doneBy, type Outbox } from '@settler/chassis/outbox';
import { afterCommit, type Postgres } from '@settler/chassis/postgres';
import { invalid, notFound, Refusal } from '@settler/chassis/refusal';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { Actor, EndpointStore } from '../../application/ports.ts';
import type { Database } from './tables.ts';
import { endpointView, headerNames } from './webhook-queries.ts';

type Row = Selectable<Database['endpoints']>;
type Trx = Transaction<Database>;

/** What is finer than a millisecond is rounded by one column and cut off by the other. */
const thisMillisecond = sql<Date>`date_trunc('milliseconds', now())`;

const audit = (row: Row, { principal, address }: Actor, action: 'created' | 'updated' | 'deleted', before?: Row) =>
  auditMessage('webhooks', row.organization_id, {
    ...doneBy({ principal, address }),
    action: `webhook.${action}`,
    resource: { type: 'webhook', id: row.id },
    ...(before === undefined ? {} : { before: auditView(before) }),
    ...(action === 'deleted' ? {} : { after: auditView(row) }),
  });

// Neither the path, which may hold a token, nor header values.
const auditView = (row: Row) => ({ origin: new URL(row.url).origin, events: row.events, status: row.status });

type Headers = Readonly<Record<string, string>>;
/** The headers of one endpoint of an organization as text that only this service opens. */
export type SealHeaders = (organizationId: string, id: string, headers: Headers) => string;

const sealed = (seal: SealHeaders, organizationId: string, id: string, headers: Headers) => {
  const names = Object.keys(headers);
  return { header_names: names, sealed_headers: names.length === 0 ? null : seal(organizationId, id, headers), headers: '{}' };
};

export const createEndpointStore = (
  postgres: Postgres<Database>,
  outbox: Outbox,
  { wake, sealHeaders }: { readonly wake: () => void; readonly sealHeaders: SealHeaders },
): EndpointStore => ({
  insert: ({ id, sealedSecret, url, events, description, headers }, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      await requireRoom(trx, actor.principal.organizationId);
      const row = await trx
        .insertInto('endpoints')
        .values({
          id,
          organization_id: actor.principal.organizationId,
          url,
          events: [...events],
          description,
          ...sealed(sealHeaders, actor.principal.organizationId, id, headers),
          status: 'active',
          secret: sealedSecret,
          created_at: thisMillisecond,
          updated_at: thisMillisecond,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await outbox.append(trx, [audit(row, actor, 'created')]);
      return { view: endpointView(row), revision: row.revision };
    }),

  update: (id, change, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const before = await lock(trx, id, ifMatch);
      const { url, events, description, headers, status } = change;
      if (url !== undefined && headers === undefined) requireSameReceiver(before, url);
      const row = await trx
        .updateTable('endpoints')
        .set({
          ...(url === undefined ? {} : { url }),
          ...(events === undefined ? {} : { events: [...events] }),
          ...(description === undefined ? {} : { description }),
          ...(headers === undefined ? {} : sealed(sealHeaders, before.organization_id, id, headers)),
          ...(status === undefined ? {} : { status, disabled_reason: null }),
          revision: sql<bigint>`revision + 1`,
          updated_at: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirstOrThrow();
      if (status === 'paused' && before.status === 'active') await hold(trx, id);
      if (status === 'active' && before.status !== 'active') {
        await release(trx, id);
        afterCommit(wake);
      }
      await outbox.append(trx, [audit(row, actor, 'updated', before)]);
      return { view: endpointView(row), revision: row.revision };
    }),

  remove: (id, ifMatch, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const row = await lock(trx, id, ifMatch);
      await trx.deleteFrom('endpoints').where('id', '=', id).execute();
      await outbox.append(trx, [audit(row, actor, 'deleted', row)]);
    }),
});

/** Seals what was stored before headers were. */
export const sealPlainHeaders = async ({ systemDb }: Postgres<Database>, sealHeaders: SealHeaders): Promise<void> => {
  const plain = await systemDb
    .selectFrom('endpoints')
    .select(['id', 'organization_id', 'headers'])
    .where(sql<boolean>`headers <> '{}'`)
    .execute();
  for (const { id, organization_id, headers } of plain) {
    await systemDb
      .updateTable('endpoints')
      .set(sealed(sealHeaders, organization_id, id, headers))
      .where('id', '=', id)
      // Whoever has changed them since has sealed them.
      .where(sql<boolean>`headers = ${JSON.stringify(headers)}::jsonb`)
      .execute();
  }
};

/** Each event of an organization becomes a delivery to each of them, and nobody else's goes out meanwhile. */
const endpointsMax = 500;

const requireRoom = async (trx: Trx, organizationId: string): Promise<void> => {
  // One after the other, or as many as come at once would all be the last.
  await sql`select pg_advisory_xact_lock(hashtextextended(${organizationId}, 0))`.execute(trx);
  const { count } = await trx
    .selectFrom('endpoints')
    .select(({ fn }) => fn.countAll<bigint>().as('count'))
    .executeTakeFirstOrThrow();
  if (count < endpointsMax) return;
  throw new Refusal(
    'conflict',
    `This organization has ${count} webhooks, and at most ${endpointsMax} may be: delete one that nobody needs.`,
  );
};

const lock = async (trx: Trx, id: string, ifMatch: number | undefined): Promise<Row> => {
  const row = await trx.selectFrom('endpoints').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (row === undefined) throw notFound('webhook');
  requireRevision(ifMatch, row.revision);
  return row;
};

/** Values that are never shown go to nobody else, or to change the address would be a way to read them. @throws Refusal `validation_failed` */
const requireSameReceiver = (before: Row, url: string): void => {
  if (headerNames(before).length === 0 || new URL(url).origin === new URL(before.url).origin) return;
  throw invalid([{ path: 'headers', message: 'must be sent once more, because those that are there are not for another server' }]);
};

const hold = (trx: Trx, id: string) =>
  trx
    .updateTable('deliveries')
    .set({ status: 'held', next_attempt_at: null, next_reason: 'paused' })
    .where('endpoint_id', '=', id)
    .where('status', '=', 'pending')
    .execute();

const release = (trx: Trx, id: string) =>
  trx
    .updateTable('deliveries')
    .set({ status: 'pending', next_attempt_at: sql<Date>`now()`, next_reason: 'schedule' })
    .where('endpoint_id', '=', id)
    .where('status', '=', 'held')
    .execute();
