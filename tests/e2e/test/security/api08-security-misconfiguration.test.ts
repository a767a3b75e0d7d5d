/**
 * API8:2023. What a customer writes is data on its whole way and comes back as such; what a client sends around its request changes
 * nothing. The same for the gateway alone, byte by byte, is in services/gateway/test/{forwarding,http}.test.ts.
 */
import { type Answer, type Client, sharedSystem } from '@settler/harness';
import { open, sendRaw } from '@settler/harness/raw';
import { beforeAll, describe, expect, test } from 'vitest';
import { job, must, ordersCsv, payments } from '../../src/party.ts';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;
let key: Client;

beforeAll(async () => {
  world = await attack();
  ({ key } = world.ours);
});

const payloads = [
  "'; drop table jobs; --",
  '1); select pg_sleep(9); --',
  "$$; copy (select 1) to program 'id'; $$",
  '{"$where":"sleep(9000)"}',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  '{{7*7}}$\u007b7*7}<%= 7*7 %>#{7*7}',
  '$\u007bjndi:ldap://127.0.0.1/a}',
  '../../../../etc/passwd',
  "=cmd|'/C calc'!A0",
  '\u202egnp.exe',
  '__proto__',
];

const isData = ({ headers }: Answer): void => {
  expect(headers.get('content-type')).toMatch(/^application\/(problem\+)?json; charset=utf-8$/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
};

describe.each(payloads)('%s', (text) => {
  test('is a text wherever a text may be, and comes back as it was sent', async () => {
    const { ours } = world;
    const made = await key.post('/v1/jobs', { ...job, name: text, description: text, tags: [text] });
    const read = await key.get(`/v1/jobs/${made.body.id}`);
    const found = await key.get(`/v1/jobs?tag=${encodeURIComponent(text)}&q=${encodeURIComponent(text)}`);
    const organization = await key.patch('/v1/organization', { name: text });
    const apiKey = await key.post('/v1/api-keys', { name: text, scopes: ['jobs:read'] });
    const file = await key.post(`/v1/files?name=${encodeURIComponent(text.replaceAll('/', '-'))}`, undefined, {
      raw: ordersCsv,
      headers: { 'content-type': 'text/csv' },
    });
    const webhook = await key.post('/v1/webhooks', {
      url: `http://127.0.0.1:9/?a=${encodeURIComponent(text)}`,
      events: ['job.archived'],
      description: text,
    });
    const comment = await key.post(`/v1/exceptions/${ours.exceptionId}/comments`, { text });
    for (const answer of [made, read, found, organization, apiKey, file, webhook, comment]) {
      expect([200, 201], JSON.stringify(answer.body)).toContain(answer.status);
      isData(answer);
    }
    expect(read.body).toMatchObject({ name: text, description: text, tags: [text] });
    expect(found.body.data.map(({ id }: { id: string }) => id)).toContain(made.body.id);
    expect([organization.body.name, apiKey.body.name, webhook.body.description]).toEqual([text, text, text]);
    const { comments } = (await key.get(`/v1/exceptions/${ours.exceptionId}`)).body;
    expect(comments.map((item: { text: string }) => item.text)).toContain(text);
  });

  test('is no more than wrong where something else has to be', async () => {
    const encoded = encodeURIComponent(text);
    for (const path of [
      `/v1/jobs/${encoded}`,
      `/v1/executions?jobId=${encoded}`,
      `/v1/executions?status=${encoded}`,
      `/v1/exceptions?minAmount=${encoded}`,
      `/v1/audit-events?since=${encoded}`,
      `/v1/jobs?limit=${encoded}`,
      `/v1/jobs?cursor=${encoded}`,
      `/v1/jobs?${encoded}=1`,
      `/v1/adapters/${encoded}`,
    ]) {
      const answer = await key.get(path);
      expect([path, [400, 404].includes(answer.status)]).toEqual([path, true]);
      isData(answer);
    }
  });
});

test('records carry such texts through a run, its results and its exports', async () => {
  const records = payloads.map((reference, index) => ({ ...payments[0], id: `x${index}`, reference }));
  const records_ = { adapter: 'records', config: {} };
  const { id } = await must(201, key.post('/v1/jobs', { ...job, source: records_, target: records_ }));
  const started = await must(202, key.post(`/v1/jobs/${id}/executions`, { source: { records }, target: { records } }));
  const events = await key.get(`/v1/executions/${started.id}/events`);
  expect(events.body).toContain('completed');
  const { data } = (await key.get(`/v1/executions/${started.id}/results?limit=200`)).body;
  const seen = data.map((result: { source: { reference: string }[] }) => result.source[0]?.reference);
  expect(seen.sort()).toEqual(payloads.toSorted());
  const file = await key.get(`/v1/executions/${started.id}/export?format=csv`);
  expect(file.headers.get('content-disposition')).toMatch(/^attachment; filename="[\w.-]+"$/);
  expect(file.headers.get('x-content-type-options')).toBe('nosniff');
});

describe('the prototype of everything', () => {
  const names = ['__proto__', '\\u005f_proto__', '__proto\\u005f\\u005f', '\\u005F\\u005Fproto\\u005f_'];

  test.each(names)('is not reached as %s, wherever in a body it stands', async (name) => {
    for (const raw of [
      `{"${name}":{"isAdmin":true}}`,
      `{"name":"a","${name}":{"scopes":["*"]}}`,
      JSON.stringify({ ...job, target: { adapter: 'records', config: { records: [{ id: 'p1', more: { PLACE: { a: 1 } } }] } } }).replace(
        'PLACE',
        name,
      ),
      JSON.stringify({ ...job, source: { adapter: 'csv', config: { fields: { id: 'Id', PLACE: 'x' } } } }).replace('PLACE', name),
    ]) {
      const answer = await key.post('/v1/jobs', undefined, { raw, headers: { 'content-type': 'application/json' } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_request', detail: 'The body has a field called __proto__.' } });
    }
    const headers = `{"url":"http://127.0.0.1:9/","events":["*"],"headers":{"${name}":"x"}}`;
    const answer = await key.post('/v1/webhooks', undefined, { raw: headers, headers: { 'content-type': 'application/json' } });
    expect(answer).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
  });

  test('is not reached by its other names, which are fields like any other', async () => {
    const record = { ...payments[0], constructor: { prototype: { isAdmin: true } }, toString: 'x', hasOwnProperty: 'y', valueOf: null };
    const sides = {
      source: { adapter: 'records', config: { records: [record] } },
      target: { adapter: 'records', config: { records: [record] } },
    };
    const { id } = await must(201, key.post('/v1/jobs', { ...job, ...sides }));
    const started = await must(202, key.post(`/v1/jobs/${id}/executions`, {}));
    expect((await key.get(`/v1/executions/${started.id}/events`)).body).toContain('completed');
    const [result] = (await key.get(`/v1/executions/${started.id}/results`)).body.data;
    expect(result).toMatchObject({ outcome: 'matched', source: [payments[0]] });
    expect((await key.get('/v1/me?constructor[prototype][isAdmin]=true')).status).toBe(400);
  });
});

const host = () => new URL(world.url).host;
const bytes = (line: string, ...headers: string[]) =>
  [line, `Host: ${host()}`, `X-API-Key: ${world.ours.apiKey}`, ...headers, '', ''].join('\r\n');

describe('a path', () => {
  test.each([
    '/internal/jobs/JOB/definition',
    '//internal/jobs/JOB/definition',
    '/v1/../internal/jobs/JOB/definition',
    '/v1/%2e%2e/internal/jobs/JOB/definition',
    '/v1/..%2finternal%2fjobs%2fJOB%2fdefinition',
    '/v1/jobs/..;/..;/internal/jobs/JOB/definition',
    '/v1/jobs/%2e%2e%2f%2e%2e%2finternal%2fjobs%2fJOB%2fdefinition',
    '/v1/jobs/%252e%252e%252f%252e%252e%252finternal',
    '/v1/jobs/..%5c..%5cinternal',
    '/v1/jobs/..\\..\\internal',
    '/v1/jobs/%c0%ae%c0%ae%c0%afinternal',
    '/v1/jobs%00',
    '/v1/jobs/JOB%00.json',
    '/v1/jobs/JOB%0d%0aX-Injected:%201',
    '/v1/jobs/JOB/.',
    '/v1/jobs/JOB/%2e',
    '/v1/jobs/',
    '/v1//jobs',
    '/v1/./jobs',
    '/v1/JOBS',
    '/v1/jobs.json',
    '/v1/jobs;a=b',
    '/v2/jobs',
    '/jobs',
    'http://identity/internal/revocations?after=0',
    'http://127.0.0.1/internal/revocations?after=0',
    'HTTP://x/internal/revocations?after=0',
    'https:/internal/revocations',
    'internal/revocations',
    '*',
  ])('%s leads nowhere', async (path) => {
    const answer = await sendRaw(world.url, bytes(`GET ${path.replaceAll('JOB', world.ours.jobId)} HTTP/1.1`));
    expect([400, 404]).toContain(answer.status);
    expect(JSON.parse(answer.body)).toMatchObject({ code: expect.stringMatching(/^(not_found|malformed_request)$/) });
    expect(answer.headers['x-injected']).toBeUndefined();
  });
});

describe('two lengths of one request', () => {
  const smuggled = () => bytes('DELETE /v1/webhooks/smuggled HTTP/1.1');

  test.each([
    ['CL.TE', ['Content-Length: 6', 'Transfer-Encoding: chunked'], '0\r\n\r\nG'],
    ['TE.CL', ['Transfer-Encoding: chunked', 'Content-Length: 3'], '8\r\nSMUGGLED\r\n0\r\n\r\n'],
    ['TE.TE twice', ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], '0\r\n\r\n'],
    ['TE.TE with a cow', ['Transfer-Encoding: chunked', 'Transfer-encoding: cow'], '0\r\n\r\n'],
    ['TE with a tab', ['Transfer-Encoding:\tchunked, x'], '0\r\n\r\n'],
    ['TE with a vertical tab', ['Transfer-Encoding: \u000bchunked'], '0\r\n\r\n'],
    ['TE in quotes', ['Transfer-Encoding: "chunked"'], '0\r\n\r\n'],
    ['TE before a space', ['Transfer-Encoding : chunked'], '0\r\n\r\n'],
    ['TE in a folded line', ['X-A: b', ' Transfer-Encoding: chunked'], '0\r\n\r\n'],
    ['TE behind a bare line feed', ['X-A: b\nTransfer-Encoding: chunked'], '0\r\n\r\n'],
    ['TE with an underscore beside a length', ['Transfer_Encoding: chunked', 'Content-Length: 1', 'Content-Length: 2'], 'ab'],
    ['a length in hex', ['Content-Length: 0x2'], '{}'],
    ['a length below nothing', ['Content-Length: -1'], '{}'],
    ['a chunk of a size that is none', ['Transfer-Encoding: chunked'], 'g\r\n{}\r\n0\r\n\r\n'],
    ['a chunk beyond all numbers', ['Transfer-Encoding: chunked'], 'fffffffffffffffff\r\n{}\r\n0\r\n\r\n'],
    ['a chunk that ends in a bare line feed', ['Transfer-Encoding: chunked'], '2\n{}\n0\n\n'],
  ] as const)('are refused: %s', async (_what, headers, body) => {
    const connection = await open(world.url);
    connection.send(`${bytes('POST /v1/jobs HTTP/1.1', 'Content-Type: application/json', ...headers)}${body}${smuggled()}`);
    const answer = await connection.answer();
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'malformed_request']);
    connection.socket.end();
    await connection.closed;
    // Nothing of what followed was taken for a request.
    expect(connection.rest()).not.toContain('HTTP/1.1');
  });
});

test('nobody becomes somebody else by headers that say so, nor by those that would have ours dropped', async () => {
  const { ours, theirs } = world;
  const { island } = await sharedSystem();
  const internal = island.principalToken({ audience: 'identity', organizationId: theirs.organizationId });
  const claims = [
    `X-Organization-Id: ${theirs.organizationId}`,
    `X-Settler-Organization: ${theirs.organizationId}`,
    `X-User-Id: usr_01jqv8m0c4e7r9t2w5y8a1b3d6`,
    `X-Internal-Authorization: Bearer ${internal}`,
    `Proxy-Authorization: Bearer ${internal}`,
    `Forwarded: for=192.0.2.1;host=${host()}`,
    'X-Forwarded-For: 192.0.2.1',
    'X-Real-IP: 192.0.2.1',
    'Connection: close, authorization, x-request-id, traceparent, x-api-key, content-length, content-type',
  ];
  const { status, body } = await sendRaw(world.url, bytes('GET /v1/me HTTP/1.1', ...claims));
  expect([status, JSON.parse(body)]).toMatchObject([200, { type: 'apiKey', id: ours.apiKeyId, organizationId: ours.organizationId }]);
  const both = await sendRaw(world.url, bytes('GET /v1/me HTTP/1.1', `Authorization: Bearer ${internal}`));
  expect(both.status).toBe(401);
  expect((await ours.anonymous.get('/v1/me', { headers: { authorization: `Bearer ${internal}` } })).status).toBe(401);
});
