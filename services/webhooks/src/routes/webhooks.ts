import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { invalid, notFound } from '@settler/chassis/refusal';
import { publicEventTypes } from '@settler/contracts/events/catalogue';
import { webhookId } from '@settler/contracts/ids';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { EndpointStore, WebhookQueries } from '../application/ports.ts';
import { isKnown } from '../domain/subscription.ts';
import { newWebhook, newWebhooks, webhook, webhookChanges } from './examples.ts';

export interface WebhookNeeds {
  readonly store: EndpointStore;
  readonly queries: WebhookQueries;
  /** What is wrong with an address; undefined when nothing is. */
  readonly refusalOf: (url: string) => string | undefined;
  readonly newId: () => string;
  /** A new secret for the endpoint of this id, as it is shown and as it is kept. */
  readonly newSecret: (organizationId: string, id: string) => { shown: string; sealed: string };
}

const ownHeaders =
  /^(host|content-length|content-type|connection|transfer-encoding|user-agent|expect|upgrade|keep-alive|te|trailer|proxy-.*|webhook-.*|settler-.*)$/i;
const areDistinct = (headers: Readonly<Record<string, string>>): boolean =>
  new Set(Object.keys(headers).map((name) => name.toLowerCase())).size === Object.keys(headers).length;
const pattern = z
  .string()
  .refine((text) => isKnown(text, publicEventTypes), `is not an event; see GET /v1/event-types, or use "exception.*" or "*"`);
const fields = {
  url: z
    .string()
    .max(2_000)
    .describe('Where events are posted to: http or https, and an address that is public, or that the installation allows.'),
  events: z
    .array(pattern)
    .min(1)
    .max(100)
    .describe('Types (`execution.completed`), all of an entity (`exception.*`) or everything (`*`); `GET /v1/event-types` lists them.'),
  description: z.string().max(500).nullable().describe('For people; null for none.'),
  headers: z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be a header name')
        .refine((name) => !ownHeaders.test(name), 'is a header that Settler sets itself'),
      z
        .string()
        .max(1_000)
        .regex(/^[\x20-\x7e]*$/, 'must be printable ASCII'),
    )
    .refine((headers) => Object.keys(headers).length <= 20, 'must be at most 20 headers')
    .refine(areDistinct, 'must not have one header twice')
    .describe('At most 20, sent with every delivery, such as a credential of the receiver. Values are kept encrypted and never shown.'),
};
const later = (what: string) =>
  z
    .undefined({ error: `${what} is not supported in this version` })
    .optional()
    .describe('Not supported in this version: leave it out.');
const createBody = z.strictObject({
  ...fields,
  description: fields.description.default(null),
  headers: fields.headers.default({}),
  filter: later('filter'),
  rateLimit: later('rateLimit'),
});
const changeBody = z
  .strictObject({
    url: fields.url.optional(),
    events: fields.events.optional(),
    description: fields.description.optional(),
    headers: fields.headers.optional(),
    status: z
      .enum(['active', 'paused'])
      .optional()
      .describe('`paused` holds what is to be delivered, `active` sends it; that also brings back one that was disabled.'),
    filter: later('filter'),
    rateLimit: later('rateLimit'),
  })
  .refine((change) => Object.values(change).some((value) => value !== undefined), 'must change something');

const answer = z
  .object({
    id: webhookId,
    url: z.string().describe('Where events are posted to.'),
    events: z.array(z.string()).describe('Which events it is told of.'),
    description: z.string().nullable().describe('For people.'),
    headers: z.record(z.string(), z.string()).describe('Values are never shown.'),
    status: z
      .enum(['active', 'paused', 'disabled'])
      .describe('`disabled`: it has answered 410, and nothing is sent until it is active again. Events are numbered and held meanwhile.'),
    disabledReason: z.string().nullable().describe('Why it is disabled, for people.'),
    createdAt: instant,
    updatedAt: instant.describe('When it was changed last.'),
  })
  .meta({ id: 'Webhook' });
const created = z.object({ ...answer.shape, secret: z.string().optional().describe('Shown this once.') }).meta({ id: 'CreatedWebhook' });
const byId = z.object({ id: webhookId });

export const webhookRoutes = (endpoint: Endpoints['endpoint'], { store, queries, refusalOf, newId, newSecret }: WebhookNeeds): void => {
  const requireAddress = (url: string | undefined) => {
    const message = url === undefined ? undefined : refusalOf(url);
    if (message !== undefined) throw invalid([{ path: 'url', message }]);
  };

  endpoint('createWebhook', {
    description:
      'It is active at once, and told of what happens from now on. The answer has the secret that deliveries are signed with (Standard Webhooks 1.0), this once. An address that is not allowed is `validation_failed` at `url`; an organization has at most 500: `conflict`.',
    body: createBody,
    answers: { 201: created },
    examples: { bodies: newWebhooks, answers: { 201: newWebhook } },
    handle: async ({ body: { url, events, description, headers }, principal, address }) => {
      requireAddress(url);
      const id = newId();
      const { shown, sealed } = newSecret(principal.organizationId, id);
      const { view, revision } = await store.insert(
        { id, url, events, description, headers, sealedSecret: sealed },
        { principal, address },
      );
      return resource(201, { ...view, secret: shown }, revision, { location: `/v1/webhooks/${id}` });
    },
  });

  endpoint('listWebhooks', {
    description: 'Newest first.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.endpoints(principal.organizationId, query) }),
  });

  endpoint('readWebhook', {
    description: 'Without its secret and the values of its headers.',
    params: byId,
    answers: { 200: answer },
    examples: { answers: { 200: webhook } },
    handle: async ({ params, principal }) => {
      const found = await queries.endpoint(principal.organizationId, params.id);
      if (found === undefined) throw notFound('webhook');
      return resource(200, found.view, found.revision);
    },
  });

  endpoint('updateWebhook', {
    params: byId,
    description:
      'Each field replaces the one there was. A change of `events` counts for what happens from then on. Paused, events are still numbered, and held; active again, they are sent. What was on its way when you paused is not called back. An address on another server takes `headers` as well where there are any: those that are kept are not sent to it.',
    body: changeBody,
    answers: { 200: answer },
    examples: { bodies: webhookChanges, answers: { 200: { ...webhook, status: 'paused' } } },
    handle: async ({ params, body: { filter: _filter, rateLimit: _rateLimit, ...change }, ifMatch, principal, address }) => {
      requireAddress(change.url);
      const { view, revision } = await store.update(params.id, change, ifMatch, { principal, address });
      return resource(200, view, revision);
    },
  });

  endpoint('deleteWebhook', {
    description: 'With its deliveries, and with what is still to be delivered to it.',
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.remove(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
