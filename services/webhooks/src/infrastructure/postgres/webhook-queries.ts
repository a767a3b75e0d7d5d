import { newestFirst } from '@settler/chassis/newest-first';
import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { type Selectable, sql, type Transaction } from 'kysely';
import type { DeliveryView, EndpointView, WebhookQueries } from '../../application/ports.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;
type EndpointRow = Selectable<Database['endpoints']>;
type DeliveryRow = Selectable<Database['deliveries']>;

/** Also of those that were stored before headers were sealed. */
export const headerNames = ({ headers, header_names: names }: Pick<EndpointRow, 'headers' | 'header_names'>): readonly string[] => [
  ...Object.keys(headers),
  ...names,
];

export const endpointView = (row: EndpointRow): EndpointView => ({
  id: row.id,
  url: row.url,
  events: row.events,
  description: row.description,
  headers: Object.fromEntries(headerNames(row).map((name) => [name, '••••'])),
  status: row.status,
  disabledReason: row.disabled_reason,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** Of each answer in a list: two hundred deliveries have two thousand of them, which would be 100 MB. */
const listedCharacters = 1_000;

const withAttempts = async (trx: Trx, rows: readonly DeliveryRow[], answerCharacters = 2 ** 31 - 1): Promise<Map<string, DeliveryView>> => {
  const ids = rows.map((row) => row.id);
  const attempts =
    ids.length === 0
      ? []
      : await trx
          .selectFrom('attempts')
          .select(['delivery_id', 'at', 'status_code', 'latency_ms', 'error'])
          .select(sql<string | null>`left(response_body, ${answerCharacters}::int)`.as('response_body'))
          .where('delivery_id', 'in', ids)
          .orderBy('position')
          .execute();
  const byDelivery = Map.groupBy(attempts, (attempt) => attempt.delivery_id);
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        webhookId: row.endpoint_id,
        eventId: row.event_id,
        eventType: row.event_type,
        sequence: Number(row.sequence),
        status: row.status,
        attempts: (byDelivery.get(row.id) ?? []).map((attempt) => ({
          at: attempt.at.toISOString(),
          statusCode: attempt.status_code,
          latencyMs: attempt.latency_ms,
          responseBody: attempt.response_body,
          error: attempt.error,
        })),
        nextAttemptAt: row.next_attempt_at?.toISOString() ?? null,
        nextReason: row.next_reason,
        createdAt: row.created_at.toISOString(),
      },
    ]),
  );
};

export const createWebhookQueries = (postgres: Postgres<Database>, cursors: Cursors): WebhookQueries => ({
  endpoint: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('endpoints').selectAll().where('id', '=', id).executeTakeFirst();
      return row === undefined ? undefined : { view: endpointView(row), revision: row.revision };
    }),

  endpoints: (organizationId, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const all = trx.selectFrom('endpoints').selectAll();
      return newestFirst(all, { cursors, list: `webhooks ${organizationId}`, limit, cursor }, endpointView);
    }),

  delivery: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const rows = await trx.selectFrom('deliveries').selectAll().where('id', '=', id).execute();
      return (await withAttempts(trx, rows)).get(id);
    }),

  deliveries: (organizationId, endpointId, { status, eventType, since, limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const endpoint = await trx.selectFrom('endpoints').select('id').where('id', '=', endpointId).executeTakeFirst();
      if (endpoint === undefined) return undefined;
      const list = JSON.stringify(['deliveries', endpointId, status, eventType, since]);
      const after = cursors.read(list, cursor);
      let query = trx.selectFrom('deliveries').selectAll().where('endpoint_id', '=', endpointId);
      if (status !== undefined) query = query.where('status', '=', status);
      if (eventType !== undefined) query = query.where('event_type', '=', eventType);
      if (since !== undefined) query = query.where('created_at', '>=', new Date(since));
      if (after !== undefined) query = query.where('sequence', '<', BigInt(after[0] ?? 0));
      const rows = await query
        .orderBy('sequence', 'desc')
        .limit(limit + 1)
        .execute();
      const views = await withAttempts(trx, rows, listedCharacters);
      return toPage(
        rows,
        limit,
        (row) => views.get(row.id) as DeliveryView,
        (row) => cursors.write(list, [Number(row.sequence)]),
      );
    }),
});
