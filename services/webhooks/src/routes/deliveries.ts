import type { Endpoints } from '@settler/chassis/endpoint';
import { type Cursors, pageByName, pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { publicEvents } from '@settler/contracts/events/catalogue';
import { deliveryId, eventId, webhookId } from '@settler/contracts/ids';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { WebhookQueries } from '../application/ports.ts';
import { delivery as aDelivery } from './examples.ts';

const status = z.enum(['pending', 'delivered', 'failed', 'held']);
const delivery = z
  .object({
    id: deliveryId,
    webhookId,
    eventId: eventId.describe('The event, which `webhook-id` says to the receiver: the same in every attempt.'),
    eventType: z.string().describe('Such as `execution.completed`.'),
    sequence: z.number().int().describe('The number of the event at this endpoint, without gaps: `settler-sequence`.'),
    status: status.describe('`pending` is tried again, `held` waits for its endpoint; `delivered` and `failed` are over.'),
    attempts: z.array(
      z.object({
        at: instant,
        statusCode: z.number().int().nullable().describe('Of the answer; null where none came.'),
        latencyMs: z.number().int().describe('How long it took, in milliseconds.'),
        responseBody: z
          .string()
          .nullable()
          .describe(
            'The first 16 KiB of the answer, and in lists its first 1,000 characters. Values of the headers of the endpoint are replaced by ••••.',
          ),
        error: z.string().nullable().describe('Why no answer came.'),
      }),
    ),
    nextAttemptAt: instant.nullable().describe('When it is tried next; null where it is not, or nobody knows when.'),
    nextReason: z.string().nullable().describe('Why then: `schedule`, `retry_after`, `paused` or `held`.'),
    createdAt: instant,
  })
  .meta({ id: 'Delivery' });
const eventType = z
  .object({
    type: z.string().describe('Such as `execution.completed`.'),
    version: z.number().int().describe('Raised by a change that breaks receivers.'),
    description: z.string().describe('When it is sent.'),
    schema: z.record(z.string(), z.unknown()).describe('The JSON Schema of `data`.'),
    example: z.record(z.string(), z.unknown()).describe('Of `data`.'),
  })
  .meta({ id: 'EventType' });

const eventTypes = publicEvents.map(({ type, major, description, data, example }) => ({
  type,
  version: major,
  description,
  schema: z.toJSONSchema(data, { unrepresentable: 'any' }),
  example,
}));

export const deliveryRoutes = (endpoint: Endpoints['endpoint'], queries: WebhookQueries, cursors: Cursors): void => {
  endpoint('listDeliveries', {
    description:
      'By `sequence`, the highest first. A delivery is `pending` until its attempt is on record, a moment after the answer came. They are kept for 30 days after their last attempt, unless the installation says otherwise; what is pending or held stays.',
    params: z.object({ id: webhookId }),
    query: z.strictObject({
      ...pageQuery,
      status: status.optional().describe('Only deliveries of this status.'),
      eventType: z.string().max(100).optional().describe('Only deliveries of this type, such as `execution.completed`.'),
      since: instantInput.optional().describe('Only deliveries that came about at this moment or later.'),
    }),
    answers: { 200: pageOf(delivery) },
    handle: async ({ params, principal, query }) => {
      const page = await queries.deliveries(principal.organizationId, params.id, query);
      if (page === undefined) throw notFound('webhook');
      return { status: 200, body: page };
    },
  });

  endpoint('readDelivery', {
    description:
      'With every attempt. One that fails is tried again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h, each ±20 %; only 2xx within 15 seconds is a success.',
    params: z.object({ id: deliveryId }),
    answers: { 200: delivery },
    examples: { answers: { 200: aDelivery } },
    handle: async ({ params, principal }) => {
      const found = await queries.delivery(principal.organizationId, params.id);
      if (found === undefined) throw notFound('delivery');
      return { status: 200, body: found };
    },
  });

  endpoint('listEventTypes', {
    description: 'What an endpoint can be told of, with the JSON Schema of each `data` and an example. By type.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(eventType) },
    handle: async ({ query }) => ({
      status: 200,
      body: pageByName(eventTypes, ({ type }) => type, { cursors, list: 'event types', ...query }),
    }),
  });
};
