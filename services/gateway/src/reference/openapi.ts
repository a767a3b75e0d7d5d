/** One OpenAPI 3.1 document out of those that the services make from their own schemas. */
import { Refusal } from '@settler/chassis/refusal';
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { allows, roles, scopes, scopesFor } from '@settler/contracts/scopes';
import type { StatefulService } from '@settler/contracts/services';
import { z } from 'zod';

const operation = z.looseObject({ operationId: z.string().optional(), description: z.string().optional() });
const serviceDocument = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)).default({}),
  components: z.object({ schemas: z.record(z.string(), z.unknown()).default({}) }).default({ schemas: {} }),
});
export type ServiceDocument = z.output<typeof serviceDocument>;

export interface ReferenceNeeds {
  readonly services: readonly StatefulService[];
  /** The document of one service as it is now. @throws where it cannot be had */
  readonly read: (service: StatefulService) => Promise<unknown>;
  readonly version: string;
}

const keptMs = 60_000;

/** Kept for a minute, and longer for a service that is away: its routes are still there. */
export const createOpenApi = ({ services, read, version }: ReferenceNeeds): (() => Promise<unknown>) => {
  const known = new Map<StatefulService, { readonly document: ServiceDocument; readonly askedAtMs: number }>();

  const documentOf = async (service: StatefulService): Promise<ServiceDocument> => {
    const kept = known.get(service);
    if (kept !== undefined && performance.now() - kept.askedAtMs < keptMs) return kept.document;
    try {
      const document = serviceDocument.parse(await read(service));
      known.set(service, { document, askedAtMs: performance.now() });
      return document;
    } catch (cause) {
      if (kept !== undefined) return kept.document;
      const detail = `The description of ${service}'s routes cannot be had at the moment.`;
      throw new Refusal('upstream_unavailable', detail, { retryAfterSeconds: 1, cause });
    }
  };

  return async () => compose(await Promise.all(services.map(documentOf)), version);
};

/** @throws Error where two services mean different things by one name. */
export const compose = (documents: readonly ServiceDocument[], version: string): unknown => {
  const operations = new Map<string, Record<string, unknown>>();
  const schemas: Record<string, unknown> = {};
  for (const document of documents) {
    for (const methods of Object.values(document.paths)) {
      for (const found of Object.values(methods)) if (found.operationId !== undefined) operations.set(found.operationId, found);
    }
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      if (name in schemas && JSON.stringify(schemas[name]) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${name}`);
      schemas[name] = schema;
    }
  }
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const found = operations.get(name);
    // Written by the contract, so that the document lists its routes in its order and none besides.
    if (found !== undefined) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: { ...found, ...accessOf(route) } };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Settler',
      version,
      description,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This installation' }],
    tags: tagsOf(paths),
    paths,
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From register, login or refresh; 15 minutes.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'From POST /v1/api-keys; shown once.' },
      },
      schemas,
    },
  };
};

const accessOf = ({ access }: Route) => {
  if (access === 'public') return { security: [] };
  const both = [{ accessToken: [] }, { apiKey: [] }];
  if (access === 'any') return { security: both };
  if (access === 'user') return { security: [{ accessToken: [] }], description: 'For users; API keys are refused.' };
  const held = roles.filter((role) => allows(scopesFor(role), access));
  return { security: both, 'x-required-scope': access, description: `Scope \`${access}\`: ${held.join(', ')}.` };
};

const tagsOf = (paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>) => {
  const names = Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap((found) => (found as { tags?: string[] }).tags ?? []),
  );
  return [...new Set(names)].map((name) => ({ name }));
};

const description = `Reconciliation as a service: two sets of records that should agree, matched by rules, every record's outcome explained.

Send \`Authorization: Bearer <access token>\` or \`X-API-Key: <key>\`. Errors are problem documents (RFC 9457) with a \`code\`.
Lists take \`limit\` and \`cursor\`. POST and PATCH take an \`Idempotency-Key\`.

Scopes: ${scopes.map((scope) => `\`${scope}\``).join(' ')}`;
