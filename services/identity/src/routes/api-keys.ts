import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { networkFault } from '@settler/chassis/network';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { apiKeyId } from '@settler/contracts/ids';
import { scope } from '@settler/contracts/scopes';
import { instant, instantInput } from '@settler/contracts/time';
import { z } from 'zod';
import type { ApiKey, ApiKeyStore } from '../application/api-keys.ts';
import type { changeApiKey } from '../application/commands/change-api-key.ts';
import type { createApiKey } from '../application/commands/create-api-key.ts';
import type { rotateApiKey } from '../application/commands/rotate-api-key.ts';
import type { Queries } from '../application/queries.ts';
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

const rateLimit = z.strictObject({
  limit: z.int().min(1).max(1_000_000),
  windowMs: z
    .int()
    .min(1_000)
    .max(24 * 3600_000),
});
const scopes = z
  .array(scope)
  .min(1, 'must name at least one scope')
  .max(100)
  .transform((names) => [...new Set(names)]);
const end = instantInput.transform((value) => new Date(value));
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
  .describe('From where the key may be used; empty: from everywhere.');

const createBody = z.strictObject({
  name: text(100),
  scopes,
  rateLimit: rateLimit.nullish().transform((value) => value ?? null),
  expiresAt: end.nullish().transform((value) => value ?? null),
  allowedIps: allowedIps.default([]),
});
const changeBody = z
  .strictObject({ name: text(100), scopes, rateLimit: rateLimit.nullable(), expiresAt: end.nullable(), allowedIps })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
const rotateBody = z.strictObject({
  graceSeconds: z
    .int()
    .min(0)
    .max(7 * 24 * 3600)
    .default(graceSecondsDefault)
    .describe('How long the old key still counts; 0 where it has been seen by somebody it should not.'),
});

const answer = z
  .object({
    id: apiKeyId,
    name: z.string(),
    prefix: z.string().describe('The key up to and with its locator.'),
    scopes: z.array(scope),
    status: z.enum(['active', 'expired', 'revoked']),
    rateLimit: rateLimit.nullable(),
    expiresAt: instant.nullable(),
    allowedIps: z.array(z.string()),
    createdBy: z.object({ type: z.string(), id: z.string() }),
    ownerId: z
      .string()
      .nullable()
      .describe('The user who answers for it: who created it, or who answers for the key that did; null where that is not known.'),
    successorId: apiKeyId.nullable().describe('The key that it was rotated into; one is rotated once.'),
    createdAt: instant,
    lastUsedAt: instant.nullable().describe('At most a minute old.'),
    revokedAt: instant.nullable(),
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
    body: createBody,
    answers: { 201: created },
    handle: async ({ body, principal, address }) => shownOnce(await create(body, { principal, address })),
  });

  endpoint('updateApiKey', {
    params: byId,
    body: changeBody,
    answers: { 200: answer },
    handle: async ({ params, body, ifMatch, principal, address }) => {
      const apiKey = await change(params.id, ifMatch, body, { principal, address });
      return resource(200, view(apiKey), apiKey.revision);
    },
  });

  endpoint('rotateApiKey', {
    params: byId,
    body: rotateBody,
    answers: { 201: created },
    handle: async ({ params, body, ifMatch, principal, address }) =>
      shownOnce(await rotate(params.id, ifMatch, body.graceSeconds, { principal, address })),
  });

  endpoint('listApiKeys', {
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(answer) },
    handle: async ({ principal, query }) => {
      const { data, nextCursor } = await queries.apiKeys(principal.organizationId, query);
      return { status: 200, body: { data: data.map(view), nextCursor } };
    },
  });

  endpoint('readApiKey', {
    params: byId,
    answers: { 200: answer },
    handle: async ({ params, principal }) => {
      const found = await queries.apiKey(principal.organizationId, params.id);
      if (found === undefined) throw notFound('API key');
      return resource(200, view(found), found.revision);
    },
  });

  endpoint('revokeApiKey', {
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.revoke(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
