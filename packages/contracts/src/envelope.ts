/**
 * The envelope of every message between services: CloudEvents 1.0 attributes in structured JSON, with four extensions.
 * `id` is also the broker's message id and the webhook's id, so that everyone who de-duplicates does it by the same value.
 */
import { z } from 'zod';
import { eventId, organizationId } from './ids.ts';
import { instant } from './time.ts';

export const envelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: eventId,
  source: z
    .string()
    .regex(/^\/settler\/[a-z]+$/)
    .describe('The service that says it: `/settler/jobs`.'),
  type: z.string().describe('`job.created`; the major version is in the subject on the broker.'),
  subject: z.string().describe('What it is about: the id of the aggregate.'),
  time: instant,
  datacontenttype: z.literal('application/json'),
  organizationid: organizationId,
  aggregateversion: z
    .number()
    .int()
    .positive()
    .describe("The aggregate's revision after the change; a consumer that keeps a copy applies only what is newer."),
  traceparent: z.string().optional().describe('W3C trace context of what caused it.'),
  data: z.record(z.string(), z.unknown()).describe('What the event itself says, as listed below.'),
});
export type Envelope = z.infer<typeof envelope>;
