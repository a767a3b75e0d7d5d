/** One trace for one request, wherever it goes: gateway, service, database, broker, consumer. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { client, createIsland, type Island, type System, startSystem, waitFor } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Span {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
}

let island: Island;
let system: System;
let collector: Server;
const spans: Span[] = [];

/** As an OpenTelemetry collector takes them, over HTTP and in JSON. */
const startCollector = async (): Promise<string> => {
  collector = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      spans.push(...spansOf(JSON.parse(Buffer.concat(parts).toString())));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
};

// biome-ignore lint/suspicious/noExplicitAny: OTLP is read no further than its spans.
const spansOf = (exported: any): Span[] =>
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  exported.resourceSpans.flatMap(({ resource, scopeSpans }: any) => {
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    const service = resource.attributes.find(({ key }: any) => key === 'service.name').value.stringValue;
    // biome-ignore lint/suspicious/noExplicitAny: as above.
    return scopeSpans.flatMap((scope: any) => scope.spans.map((span: any) => ({ parentSpanId: '', ...span, service })));
  });

beforeAll(async () => {
  const [endpoint, own] = await Promise.all([startCollector(), createIsland()]);
  island = own;
  system = await startSystem(island, {
    all: { OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json', OTEL_BSP_SCHEDULE_DELAY: '100' },
  });
});
afterAll(async () => {
  await island.dispose();
  collector.closeAllConnections();
  collector.close();
});

test('a request, what it wrote, and what was made of its event are one trace', async () => {
  const account = { email: 'traced@example.com', password: 'a password of several words', organizationName: 'Traced' };
  const { body } = await client(system.url).post('/v1/auth/register', account);
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const answer = await client(system.url, { token: body.accessToken }).post(
    '/v1/jobs',
    {
      name: 'traced',
      source: { adapter: 'csv', config: { fields: { id: 'Id' } } },
      target: { adapter: 'records', config: {} },
      rules: { matching: [{ field: 'reference', type: 'exact' }] },
    },
    { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, 'x-request-id': 'request-of-the-test' } },
  );
  expect(answer.status).toBe(201);
  expect(answer.headers.get('x-request-id')).toBe('request-of-the-test');

  const ofTrace = () => spans.filter((span) => span.traceId === traceId);
  const find = (service: string, name: RegExp) => ofTrace().find((span) => span.service === service && name.test(span.name));
  const wanted = {
    door: ['settler-gateway', /^POST/],
    service: ['settler-jobs', /^POST/],
    database: ['settler-jobs', /^pg\.query:INSERT/i],
    publication: ['settler-jobs', /^publish evt\.jobs/],
    trail: ['settler-identity', /^process /],
    fanOut: ['settler-webhooks', /^process /],
  } as const;
  const found = await waitFor(
    () => {
      const entries = Object.entries(wanted).map(([part, [service, name]]) => [part, find(service, name)] as const);
      return entries.every(([, span]) => span !== undefined) && (Object.fromEntries(entries) as Record<keyof typeof wanted, Span>);
    },
    { what: 'the spans of every part', timeoutMs: 60_000 },
  );
  expect(found.door.parentSpanId).toBe('00f067aa0ba902b7');
  expect(found.service.parentSpanId).toBe(found.door.spanId);
  const published = ofTrace().filter(({ name }) => name.startsWith('publish '));
  for (const part of ['trail', 'fanOut'] as const) expect(published.map(({ spanId }) => spanId)).toContain(found[part].parentSpanId);

  const lines = await waitFor(
    () => {
      const logged = Object.values(system.services).flatMap((service) =>
        service.logs().filter((line) => line.includes('request-of-the-test')),
      );
      return logged.length >= 2 && logged;
    },
    { what: 'the request in the logs of gateway and service' },
  );
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ requestId: 'request-of-the-test', traceId });
});
