import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { networkFault } from '@settler/chassis/network';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { apiKeyId } from '@settler/contracts/ids';
import { scope } from '@settler/contracts/scopes';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { ApiKey, ApiKeyStore } from '../application/api-keys.ts';
import type { changeApiKey } from '../application/commands/change-api-key.ts';
import type { createApiKey } from '../application/commands/create-api-key.ts';
import type { rotateApiKey } from '../application/commands/rotate-api-key.ts';
import type { Queries } from '../application/queries.ts';
import { apiKey as aKey, apiKeyChanges, apiKeyRotations, newApiKey, newApiKeys } from './examples.ts';
import { text } from './shapes.ts';

export interface ApiKeyNeeds {
  readonly create: ReturnType<typeof createApiKey>;
  readonly change: ReturnType<typeof changeApiKey>;
  readonly rotate: ReturnType<typeof rotateApiKey>;
  readonly store: ApiKeyStore;
  readonly queries: Queries;
}

/** A day to bring the new key to where the old one is used. */
const graceSecondsDefault = 24 * 3600;

const rateLimit = z
  .strictObject({
    limit: z.int().min(1).max(1_000_000).describe('Requests in a window.'),
    windowMs: z
      .int()
      .min(1_000)
      .max(24 * 3600_000)
      .describe('How long a window is, in milliseconds: a second to a day, rounded up to whole seconds.'),
  })
  .describe('A limit of its own, in place of the one that every key has; null for that one.');
const scopes = z
  .array(scope)
  .min(1, 'must name at least one scope')
  .max(100)
  .transform((names) => [...new Set(names)])
  .describe('What the key may do: nothing that whoever creates or changes it may not.');
const end = instantInput.transform((value) => new Date(value)).describe('When it ends, in the future; null for never.');
/** As gateways read it: a key with a list that they cannot read works from nowhere. */
const isNetwork = (text: string): boolean => networkFault(text) === undefined;
const allowedIps = z
  .array(
    z
      .string()
      .max(60)
      .refine(isNetwork, { error: ({ input }) => networkFault(String(input)) }),
  )
  .max(100)
  .describe('From where the key may be used: addresses and networks, IPv4 or IPv6. Empty: from everywhere.');

const createBody = z.strictObject({
  name: text(100).describe('For people.'),
  scopes,
  rateLimit: rateLimit
    .nullish()
    .transform((value) => value ?? null)
    .describe('A limit of its own; null or absent for the one that every key has.'),
  expiresAt: end
    .nullish()
    .transform((value) => value ?? null)
    .describe('When it ends, in the future; null or absent for never.'),
  allowedIps: allowedIps.default([]),
});
const changeBody = z
  .strictObject({
    name: text(100).describe('For people.'),
    scopes,
    rateLimit: rateLimit.nullable().describe('Null for the limit that every key has.'),
    expiresAt: end.nullable().describe('When it ends, in the future; null for never.'),
    allowedIps,
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const rotateBody = z.strictObject({
  graceSeconds: z
    .int()
    .min(0)
    .max(7 * 24 * 3600)
    .default(graceSecondsDefault)
    .describe(
      'How long the old key still counts, in seconds: a day where it is absent, 7 days at most; 0 where it has been seen by somebody it should not.',
    ),
});

const answer = z
  .object({
    id: apiKeyId,
    name: z.string().describe('For people.'),
    prefix: z.string().describe('The key up to and with its locator.'),
    scopes: z.array(scope).describe('What it may do.'),
    status: z.enum(['active', 'expired', 'revoked']).describe('Only an active key counts.'),
    rateLimit: rateLimit.nullable().describe('A limit of its own; null where it has none.'),
    expiresAt: instant.nullable().describe('When it ends; null for never.'),
    allowedIps: z.array(z.string()).describe('From where it may be used; empty: from everywhere.'),
    createdBy: actor.describe('Who made it.'),
    ownerId: z
      .string()
      .nullable()
      .describe('The user who answers for it: who created it, or who answers for the key that did; null where that is not known.'),
    successorId: apiKeyId.nullable().describe('The key that it was rotated into; one is rotated once.'),
    createdAt: instant,
    lastUsedAt: instant.nullable().describe('At most a minute old.'),
    revokedAt: instant.nullable().describe('Since when it counts no more; null where it was not revoked.'),
  })
  .meta({ id: 'ApiKey' });
const created = z.object({ ...answer.shape, key: z.string().optional().describe('Shown this once.') }).meta({ id: 'CreatedApiKey' });
const byId = z.object({ id: apiKeyId });

const view = ({ organizationId: _organization, revision: _revision, expiresAt, createdAt, lastUsedAt, revokedAt, ...rest }: ApiKey) => ({
  ...rest,
  expiresAt: expiresAt?.toISOString() ?? null,
  createdAt: createdAt.toISOString(),
  lastUsedAt: lastUsedAt?.toISOString() ?? null,
  revokedAt: revokedAt?.toISOString() ?? null,
});

const shownOnce = ({ apiKey, key }: { readonly apiKey: ApiKey; readonly key: string }) =>
  resource(201, { ...view(apiKey), key }, apiKey.revision, { location: `/v1/api-keys/${apiKey.id}`, 'cache-control': 'no-store' });

export const apiKeyRoutes = (endpoint: Endpoints['endpoint'], { create, change, rotate, store, queries }: ApiKeyNeeds): void => {
  endpoint('createApiKey', {
    description:
      'The answer has the key itself, this once; what is kept of it is a hash. A scope that you do not have is `forbidden`. A key survives the removal of whoever made it.',
    body: createBody,
    answers: { 201: created },
    examples: { bodies: newApiKeys, answers: { 201: newApiKey } },
    handle: async ({ body, principal, address }) => shownOnce(await create(body, { principal, address })),
  });

  endpoint('updateApiKey', {
    description:
      'It holds everywhere within a second. Whoever changes a key must be able to do all that it can afterwards: `forbidden`. A revoked key cannot be changed: `conflict`.',
    params: byId,
    body: changeBody,
    answers: { 200: answer },
    examples: { bodies: apiKeyChanges, answers: { 200: aKey } },
    handle: async ({ params, body, ifMatch, principal, address }) => {
      const apiKey = await change(params.id, ifMatch, body, { principal, address });
      return resource(200, view(apiKey), apiKey.revision);
    },
  });

  endpoint('rotateApiKey', {
    description:
      'A new key with a new id that can do the same; both count during the grace, which never outlives the end that the old one had. Invitations that the old one has made stay with the new one, and are withdrawn where there is no grace. The answer has the new key itself, this once. `conflict` where the old one is not active, or was rotated already.',
    params: byId,
    body: rotateBody,
    answers: { 201: created },
    examples: { bodies: apiKeyRotations, answers: { 201: newApiKey } },
    handle: async ({ params, body, ifMatch, principal, address }) =>
      shownOnce(await rotate(params.id, ifMatch, body.graceSeconds, { principal, address })),
  });

  endpoint('listApiKeys', {
    description: 'Newest first, those that have expired or were revoked included. The keys themselves are never shown again.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.apiKeys(principal.organizationId, query);
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('readApiKey', {
    description: 'What it may do and when it was used last; not the key itself.',
    params: byId,
    answers: { 200: answer },
    examples: { answers: { 200: aKey } },
    handle: async ({ params, principal }) => {
      const found = await queries.apiKey(principal.organizationId, params.id);
      if (found === undefined) throw notFound('API key');
      return resource(200, view(found), found.revision);
    },
  });

  endpoint('revokeApiKey', {
    description: 'It is refused everywhere within a second, for good. Revoking it twice is the same as once.',
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.revoke(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
