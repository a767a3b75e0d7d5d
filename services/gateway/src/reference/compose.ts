/** One OpenAPI 3.1 document out of those that the services make from their own schemas. */
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { scopes } from '@settler/contracts/scopes';
import { z } from 'zod';
import { commonParameters, commonResponses, describeOperation, type Operation, operation } from './operation.ts';

export const serviceDocument = z.object({
  paths: z.record(z.string(), z.record(z.string(), operation)).default({}),
  components: z.object({ schemas: z.record(z.string(), z.unknown()).default({}) }).default({ schemas: {} }),
});
export type ServiceDocument = z.output<typeof serviceDocument>;
type Paths = Record<string, Record<string, Operation>>;

/** @throws Error where two services mean different things by one name. */
export const compose = (documents: readonly ServiceDocument[], version: string): unknown => {
  const paths = pathsOf(documents);
  return {
    openapi: '3.1.0',
    info: { title: 'Settler', version, description, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/', description: 'This installation' }],
    tags: tagsOf(paths),
    paths,
    components: {
      securitySchemes: {
        accessToken: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'From register, login or refresh; 15 minutes.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'From POST /v1/api-keys; shown once.' },
      },
      parameters: commonParameters,
      responses: answeredWith(paths),
      schemas: reachable(schemasOf(documents), [paths, commonResponses]),
    },
  };
};

/** Written by the contract, so that the document lists its routes in its order and none besides. */
const pathsOf = (documents: readonly ServiceDocument[]): Paths => {
  const found = documents.flatMap(({ paths }) => Object.values(paths).flatMap((methods) => Object.values(methods)));
  const operations = new Map(found.map((one) => [one.operationId, one]));
  const paths: Paths = {};
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    const known = operations.get(name);
    if (known !== undefined) paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeOperation(route, known) };
  }
  return paths;
};

const schemasOf = (documents: readonly ServiceDocument[]): ReadonlyMap<string, unknown> => {
  const schemas = new Map<string, unknown>();
  for (const [name, schema] of documents.flatMap(({ components }) => Object.entries(components.schemas))) {
    const known = schemas.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`two schemas are called ${name}`);
    schemas.set(name, schema);
  }
  return schemas;
};

const answeredWith = (paths: Paths) => {
  const text = JSON.stringify(paths);
  return Object.fromEntries(Object.entries(commonResponses).filter(([name]) => text.includes(`"#/components/responses/${name}"`)));
};

const schemaReference = /"#\/components\/schemas\/([^"]+)"/g;

/** Those that something refers to, by itself or through another. The services' documents have each twice: as it is sent, and as it is taken. */
const reachable = (schemas: ReadonlyMap<string, unknown>, roots: readonly unknown[]): Record<string, unknown> => {
  const wanted = new Set<string>();
  const follow = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(schemaReference)) {
      if (wanted.has(name)) continue;
      wanted.add(name);
      follow(schemas.get(name));
    }
  };
  for (const root of roots) follow(root);
  return Object.fromEntries([...schemas].filter(([name]) => wanted.has(name)));
};

const tagDescriptions: Readonly<Record<string, string>> = {
  auth: 'Registering, logging in, and tokens.',
  me: 'Whoever asks.',
  organization: 'The organization that whoever asks belongs to.',
  members: 'Who belongs to the organization, and as what.',
  invitations: 'Who is asked to join the organization.',
  erasures: 'The erasure of personal data.',
  'api-keys': 'Keys for programs.',
  'audit-events': 'Who did what, in a chain that shows when it was tampered with.',
  'jwks.json': 'The public keys that access tokens are verified with.',
  jobs: 'What to reconcile, how, and when.',
  adapters: 'Where records can come from.',
  files: 'Uploaded records.',
  executions: 'Runs of jobs, and what they found.',
  exceptions: 'What did not match, until somebody has dealt with it.',
  approvals: 'What one person has settled, and takes a second one.',
  reports: 'How the executions of a job have been going.',
  'exchange-rates': 'Rates for the totals of reports in one currency.',
  webhooks: 'Endpoints that are told of events.',
  deliveries: 'What endpoints were told, and what they answered.',
  replays: 'Deliveries that are made again.',
  events: 'The events of the organization, in order.',
  'event-types': 'The events there are.',
};

const tagsOf = (paths: Paths) => {
  const names = Object.values(paths).flatMap((methods) => Object.values(methods).flatMap(({ tags = [] }) => tags));
  return [...new Set(names)].map((name) => ({ name, description: tagDescriptions[name] ?? `Routes below /v1/${name}.` }));
};

const description = `Reconciliation as a service: two sets of records that should agree, matched by rules, every record's outcome explained.

**From data to exceptions.** Create a job (\`POST /v1/jobs\`), run it (\`POST /v1/jobs/{id}/executions\`), follow it (\`GET /v1/executions/{id}/events\`), read what it found (\`GET /v1/executions/{id}/results\` and \`…/report\`), and deal with what is left (\`GET /v1/exceptions\`).

**Credentials.** \`Authorization: Bearer <access token>\` or \`X-API-Key: <key>\`; two different ones in one request are refused. What belongs to another organization does not exist: \`not_found\`.

**Values.** Amounts are decimal strings beside a currency: \`"amount": "12.34", "currency": "EUR"\`. Moments are \`2026-04-01T09:30:00.000Z\`, days \`2026-04-01\`. Unknown fields and parameters are refused.

**Lists.** \`{"data": […], "nextCursor": …}\`, newest first unless the operation says otherwise. Ask again with \`cursor\` until \`nextCursor\` is null.

**Errors.** Problem documents (RFC 9457). Programs may rely on \`code\`; \`detail\` is for people, and \`traceId\` finds the request in the logs.

**Sending again.** Every POST and PATCH takes an \`Idempotency-Key\`: with the same key and body nothing is done twice.

**Changes at the same time.** A single resource has an \`ETag\`. Sent back as \`If-Match\` it makes a change fail where somebody else was faster; as \`If-None-Match\` it saves reading what has not changed (304).

**Limits.** \`RateLimit-Policy\` and \`RateLimit\` say what is left; with 429 and 503 comes \`Retry-After\`. JSON bodies have at most 1 MiB, those with records 32 MiB, files 1 GiB.

Scopes: ${scopes.map((scope) => `\`${scope}\``).join(' ')}`;
