import type { Endpoints } from '@settler/chassis/endpoint';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { publicEvents } from '@settler/contracts/events/catalogue';
import { deliveryId, eventId, webhookId } from '@settler/contracts/ids';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { WebhookQueries } from '../application/ports.ts';

const status = z.enum(['pending', 'delivered', 'failed', 'held']);
const delivery = z
  .object({
    id: deliveryId,
    webhookId,
    eventId,
    eventType: z.string(),
    sequence: z.number().int(),
    status,
    attempts: z.array(
      z.object({
        at: instant,
        statusCode: z.number().int().nullable(),
        latencyMs: z.number().int(),
        responseBody: z
          .string()
          .nullable()
          .describe(
            'The first 16 KiB of the answer, and in lists its first 1,000 characters. Values of the headers of the endpoint are replaced by ••••.',
          ),
        error: z.string().nullable(),
      }),
    ),
    nextAttemptAt: instant.nullable(),
    nextReason: z.string().nullable(),
    createdAt: instant,
  })
  .meta({ id: 'Delivery' });
const eventType = z
  .object({
    type: z.string(),
    version: z.number().int(),
    description: z.string(),
    schema: z.record(z.string(), z.unknown()),
    example: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'EventType' });

const eventTypes = publicEvents.map(({ type, major, description, data, example }) => ({
  type,
  version: major,
  description,
  schema: z.toJSONSchema(data, { unrepresentable: 'any' }),
  example,
}));

export const deliveryRoutes = (endpoint: Endpoints['endpoint'], queries: WebhookQueries): void => {
  endpoint('listDeliveries', {
    params: z.object({ id: webhookId }),
    query: z.strictObject({
      ...pageQuery,
      status: status.optional(),
      eventType: z.string().max(100).optional(),
      since: instantInput.optional(),
    }),
    answers: { 200: pageOf(delivery) },
    handle: async ({ params, principal, query }) => {
      const page = await queries.deliveries(principal.organizationId, params.id, query);
      if (page === undefined) throw notFound('webhook');
      return { status: 200, body: page };
    },
  });

  endpoint('readDelivery', {
    params: z.object({ id: deliveryId }),
    answers: { 200: delivery },
    handle: async ({ params, principal }) => {
      const found = await queries.delivery(principal.organizationId, params.id);
      if (found === undefined) throw notFound('delivery');
      return { status: 200, body: found };
    },
  });

  endpoint('listEventTypes', {
    answers: { 200: z.object({ data: z.array(eventType), nextCursor: z.null() }) },
    // One page: the catalogue is a few dozen entries.
    handle: async () => ({ status: 200, body: { data: eventTypes, nextCursor: null } }),
  });
};
