/** What the gateway says of all services together: the document, the readable reference, and how everybody is. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { type System, sharedSystem, waitFor } from '@settler/harness';
import { beforeAll, describe, expect, test } from 'vitest';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters: readonly ({ readonly in: string; readonly name: string } | { readonly $ref: string })[];
  readonly requestBody?: { readonly required?: boolean };
  readonly responses: Readonly<Record<string, { readonly $ref?: string; readonly content?: Readonly<Record<string, unknown>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

let system: System;
let document: Document;
beforeAll(async () => {
  ({ system } = await sharedSystem());
  document = await waitFor(
    async () => {
      const response = await fetch(`${system.url}/openapi.json`);
      return response.ok ? ((await response.json()) as Document) : undefined;
    },
    { what: 'the document', timeoutMs: 60_000 },
  );
});

describe('the OpenAPI document', () => {
  const operations = () => Object.values(document.paths).flatMap((methods) => Object.values(methods));

  test('is valid OpenAPI 3.1', async () => {
    expect(document.openapi).toBe('3.1.0');
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    expect([valid, errors]).toEqual([true, undefined]);
  });

  test('lists every route of the contract and no other, with who may use it', () => {
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { operationId }]) => [operationId, `${method.toUpperCase()} ${path}`]),
    );
    const contract = Object.entries<Route>(routes).map(([name, { method, path }]) => [name, `${method} ${path}`]);
    expect(listed.sort()).toEqual(contract.sort());
    expect(document.paths['/v1/auth/login']?.['post']?.security).toEqual([]);
    expect(document.paths['/v1/me']?.['get']?.security).toEqual([{ accessToken: [] }, { apiKey: [] }]);
    expect(document.paths['/v1/me/organizations']?.['get']?.security).toEqual([{ accessToken: [] }]);
    expect(document.paths['/v1/jobs']?.['get']).toMatchObject({
      'x-required-scope': 'jobs:read',
      description: expect.stringContaining('viewer'),
    });
  });

  test('says of every operation what it is, and how it can fail', () => {
    const tags = new Set(document.tags.map(({ name }) => name));
    for (const { operationId, summary, tags: own, responses, parameters } of operations()) {
      const route: Route = routes[operationId as RouteName];
      expect([operationId, summary, own.length]).toEqual([operationId, route.summary, 1]);
      expect(own.every((tag) => tags.has(tag))).toBe(true);
      const statuses = Object.keys(responses);
      const expected = [
        ...['400', '408', '429', '431', '500', '503'],
        ...(route.access === 'public' ? [] : ['401', '403']),
        ...(route.path.includes('{') ? ['404'] : []),
        ...(route.idempotent ? ['409'] : []),
      ];
      expect([operationId, expected.filter((status) => !statuses.includes(status))]).toEqual([operationId, []]);
      expect(statuses.filter((status) => status < '300').length).toBeGreaterThan(0);
      for (const [status, response] of Object.entries(responses)) {
        if (status >= '400') expect([operationId, response]).toEqual([operationId, { $ref: `#/components/responses/Problem${status}` }]);
      }
      const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect([operationId, parameters.flatMap((one) => ('in' in one && one.in === 'path' ? [one.name] : []))]).toEqual([
        operationId,
        named,
      ]);
      const sharedParameters = parameters.flatMap((one) => ('$ref' in one ? [one.$ref] : []));
      expect([operationId, sharedParameters.includes('#/components/parameters/IdempotencyKey')]).toEqual([operationId, route.idempotent]);
    }
    expect(
      operations()
        .filter(({ requestBody }) => requestBody?.required === false)
        .map(({ operationId }) => operationId),
    ).toEqual(['setUpTotp', 'rotateApiKey', 'createExecution', 'approveApproval', 'rejectApproval', 'withdrawApproval']);
    expect(document.tags.every(({ description }) => description.length > 0)).toBe(true);
    expect(document.components['responses']?.['Problem429']).toMatchObject({
      headers: { 'Retry-After': {} },
      content: { 'application/problem+json': {} },
    });
    expect(document.paths['/v1/files']?.['post']?.requestBody).toMatchObject({ content: { 'application/octet-stream': {} } });
    expect(Object.keys(document.paths['/v1/executions/{id}/events']?.['get']?.responses['200']?.content ?? {})).toEqual([
      'text/event-stream',
    ]);
    expect(Object.keys(document.paths['/v1/executions/{id}/export']?.['get']?.responses['200']?.content ?? {})).toEqual([
      'text/csv',
      'application/jsonl',
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    ]);
  });

  test('refers to nothing that is not there, and holds nothing that nobody refers to', () => {
    const references = new Set(
      [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/([^"]+)"/g)].map(([, kind, name]) => `${kind} ${name}`),
    );
    const { securitySchemes, ...referable } = document.components;
    const components = Object.entries(referable).flatMap(([kind, named]) => Object.keys(named).map((name) => `${kind} ${name}`));
    expect([...references].filter((name) => !components.includes(name))).toEqual([]);
    expect(components.filter((name) => !references.has(name))).toEqual([]);
    expect(Object.keys(securitySchemes ?? {})).toEqual(['accessToken', 'apiKey']);
  });

  test('is known again, and is not asked for anew where it is', async () => {
    const first = await fetch(`${system.url}/openapi.json`);
    const etag = first.headers.get('etag') ?? '';
    expect([first.headers.get('content-type'), etag]).toEqual(['application/json; charset=utf-8', expect.stringMatching(/^"[\w-]{43}"$/)]);
    await first.body?.cancel();
    expect((await fetch(`${system.url}/openapi.json`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  });
});

test('the readable reference loads nothing from anywhere else', async () => {
  const page = await fetch(`${system.url}/docs/`);
  expect(page.status).toBe(200);
  expect(page.headers.get('content-security-policy')).toContain("connect-src 'self'");
  expect(Object.fromEntries(page.headers)).toMatchObject({
    'x-content-type-options': 'nosniff',
    'strict-transport-security': expect.stringContaining('max-age='),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  });
  const sources = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, source = '']) => source);
  expect(sources.filter((source) => /^(https?:)?\/\//.test(source))).toEqual([]);
});

test('health, reference and document have no limit', async () => {
  for (const path of ['/health', '/health/live', '/health/ready', '/openapi.json', '/docs/']) {
    for (let asked = 0; asked < 3; asked += 1) {
      const answer = await fetch(system.url + path);
      expect([path, answer.status, answer.headers.get('ratelimit')]).toEqual([path, 200, null]);
      await answer.body?.cancel();
    }
  }
});

test('health tells which service is away, and the gateway stays ready', async () => {
  const health = async () => (await (await fetch(`${system.url}/health`)).json()) as unknown;
  const dependencies = { revocations: 'up', identity: 'up', jobs: 'up', executions: 'up', webhooks: 'up' };
  expect(await health()).toEqual({ status: 'ok', dependencies });
  // One that accepts connections and says nothing is the worst of them.
  system.services.webhooks.kill('SIGSTOP');
  try {
    const report = await waitFor(async () => ((found) => found.status === 'degraded' && found)((await health()) as { status: string }), {
      what: 'the stopped service to be seen',
    });
    expect(report).toMatchObject({ dependencies: { jobs: 'up', webhooks: 'down' } });
    const startedAt = performance.now();
    expect((await fetch(`${system.url}/health/ready`)).status).toBe(200);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    // What was known of it stays in the document.
    expect(((await (await fetch(`${system.url}/openapi.json`)).json()) as Document).paths['/v1/webhooks']).toBeDefined();
  } finally {
    system.services.webhooks.kill('SIGCONT');
  }
});
