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
  /** The service that says it: `/settler/jobs`. */
  source: z.string().regex(/^\/settler\/[a-z]+$/),
  /** `job.created`; the major version is the last token of the subject. */
  type: z.string(),
  /** What it is about: the id of the aggregate. */
  subject: z.string(),
  time: instant,
  datacontenttype: z.literal('application/json'),
  organizationid: organizationId,
  /** The aggregate's revision after the change; a consumer that keeps a copy applies only what is newer. */
  aggregateversion: z.number().int().positive(),
  traceparent: z.string().optional(),
  data: z.record(z.string(), z.unknown()),
});
export type Envelope = z.infer<typeof envelope>;
