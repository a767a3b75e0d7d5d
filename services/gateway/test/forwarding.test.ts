import { waitFor } from '@settler/harness';
import { open, sendRaw } from '@settler/harness/raw';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Door, type Key, type Person, startDoor } from './setup.ts';
import { echo, json, readAll } from './stand-in.ts';

let door: Door;
let person: Person;
let key: Key;
beforeAll(async () => {
  door = await startDoor();
  person = await door.register();
  key = await door.createKey(person);
});
beforeEach(() => {
  for (const standIn of [door.jobs, door.executions, door.webhooks]) standIn.answer(echo);
});
afterAll(() => door.dispose());

const host = () => new URL(door.url).host;
/** A request as bytes, with the credential that opens everything. */
const get = (path: string, ...lines: string[]) =>
  [`GET ${path} HTTP/1.1`, `Host: ${host()}`, `X-API-Key: ${key.key}`, ...lines, '', ''].join('\r\n');

describe('what reaches a service', () => {
  test('headers that are not on the list do not arrive, whatever they claim', async () => {
    const claims = [
      'X-Forwarded-For: 203.0.113.9',
      'X-Forwarded-Host: evil.example',
      'Forwarded: for=203.0.113.9',
      'X-Real-IP: 203.0.113.9',
      'X-Settler-Principal: {"kind":"system"}',
      'X-Settler-Away: jobs',
      'X-User-Id: usr_admin',
      'X-Original-URL: /internal/jobs',
      'X-HTTP-Method-Override: DELETE',
      'Cookie: session=1',
      'Accept-Encoding: br',
      'Range: bytes=0-1',
      'Via: 1.1 evil',
      'TE: trailers',
      'Keep-Alive: timeout=1',
      'Proxy-Authorization: Basic eDp5',
      'Accept: application/json',
      'If-None-Match: "r1"',
      'User-Agent: the-client/1',
    ];
    const { status } = await sendRaw(door.url, get('/v1/jobs?limit=3', ...claims));
    expect(status).toBe(200);
    const { headers, url } = door.jobs.last();
    expect(url).toBe('/v1/jobs?limit=3');
    expect(Object.keys(headers).sort()).toEqual(
      ['accept', 'authorization', 'connection', 'host', 'if-none-match', 'traceparent', 'user-agent', 'x-request-id'].sort(),
    );
    expect(headers.host).toBe(new URL(door.jobs.url).host);
    expect(JSON.stringify(headers)).not.toContain(key.key);
  });

  test('a client cannot have the headers dropped that the gateway adds', async () => {
    await sendRaw(
      door.url,
      get('/v1/jobs', 'Connection: keep-alive, authorization, x-request-id, traceparent, host, if-match', 'If-Match: "r1"'),
    );
    const arrived = door.jobs.last();
    expect(door.claimsOf(arrived, 'jobs').sub).toBe(key.id);
    expect(arrived.headers['x-request-id']).toBeDefined();
    expect(arrived.headers.traceparent).toBeDefined();
    // What it says is meant for the gateway alone ends there.
    expect(arrived.headers['if-match']).toBeUndefined();
  });

  test('the internal token says who asks, from where, and to whom, and no more', async () => {
    const limited = await door.createKey(person, { scopes: ['jobs:read'] });
    await door.as({ apiKey: limited.key }).get('/v1/jobs');
    expect(door.claimsOf(door.jobs.last(), 'jobs')).toMatchObject({
      iss: 'gateway',
      aud: 'jobs',
      kind: 'apiKey',
      sub: limited.id,
      org: person.organizationId,
      scopes: ['jobs:read'],
      ip: '127.0.0.1',
    });
    await door.as({ token: person.accessToken }).get('/v1/webhooks');
    const claims = door.claimsOf(door.webhooks.last(), 'webhooks');
    expect(claims).toMatchObject({
      aud: 'webhooks',
      kind: 'user',
      sub: person.userId,
      sid: person.sessionId,
      role: 'owner',
      scopes: ['*'],
    });
    expect(claims.exp - claims.iat).toBeLessThanOrEqual(60);
    expect(() => door.claimsOf(door.webhooks.last(), 'jobs')).toThrow();
  });

  test('the address is that of the connection, whatever a client says, where no proxy is trusted', async () => {
    const { key: bound } = await door.createKey(person, { allowedIps: ['192.0.2.0/24'] });
    const { key: home } = await door.createKey(person, { allowedIps: ['127.0.0.0/8'] });
    const from = { headers: { 'x-forwarded-for': '192.0.2.9' } };
    expect((await door.as({ apiKey: bound }).get('/v1/jobs', from)).status).toBe(403);
    expect((await door.as({ apiKey: home }).get('/v1/jobs', from)).status).toBe(200);
    expect(door.claimsOf(door.jobs.last(), 'jobs').ip).toBe('127.0.0.1');
  });

  test('a request is one request, however its length is told', async () => {
    const post = (...lines: string[]) =>
      ['POST /v1/jobs HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, 'Content-Type: application/json', ...lines].join('\r\n');
    const smuggled = 'GET /v1/jobs/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const before = door.jobs.arrived.length;
    for (const framing of [
      ['Content-Length: 4', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding : chunked'],
      ['Content-Length: 4', 'Content-Length: 5'],
      ['Content-Length: +4'],
      ['Content-Length: 4, 4'],
    ]) {
      const { status, body } = await sendRaw(door.url, `${post(...framing)}\r\n\r\n0\r\n\r\n${smuggled}`);
      expect([framing, status, JSON.parse(body).code]).toEqual([framing, 400, 'malformed_request']);
    }
    expect(door.jobs.arrived).toHaveLength(before);
    const chunked = `${post('Transfer-Encoding: chunked', 'Trailer: X-Late')}\r\n\r\n5\r\n{"a":\r\n2\r\n1}\r\n0\r\nX-Late: 1\r\n\r\n`;
    expect(JSON.parse((await sendRaw(door.url, chunked)).body)).toMatchObject({ body: '{"a":1}' });
    expect(door.jobs.last().headers['x-late']).toBeUndefined();
  });

  test('a key of repetition is one key, and two of them are not joined to a third', async () => {
    const post = (...lines: string[]) =>
      ['POST /v1/jobs HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, ...lines, 'Content-Length: 0', '', ''].join('\r\n');
    const before = door.jobs.arrived.length;
    for (const keys of [
      ['Idempotency-Key: one', 'Idempotency-Key: two'],
      ['Idempotency-Key: one', 'idempotency-KEY: one'],
      ['Idempotency-Key:', 'Idempotency-Key: two'],
    ]) {
      const { status, body } = await sendRaw(door.url, post(...keys));
      const { code, errors } = JSON.parse(body);
      expect([keys, status, code, errors]).toEqual([
        keys,
        400,
        'validation_failed',
        [{ path: 'Idempotency-Key', message: 'must be there once' }],
      ]);
    }
    expect(door.jobs.arrived).toHaveLength(before);
    expect((await sendRaw(door.url, post('Idempotency-Key: one, two'))).status).toBe(200);
    expect(door.jobs.last().headers['idempotency-key']).toBe('one, two');
  });

  test('a read has no body, and several requests of one connection are answered in turn', async () => {
    const connection = await open(door.url);
    connection.send(`${get('/v1/jobs?n=1', 'Content-Length: 3')}abc${get('/v1/jobs?n=2')}${get('/v1/jobs?n=3')}`);
    for (const n of [1, 2, 3]) expect((await connection.answer()).body).toContain(`n=${n}`);
    connection.socket.destroy();
    expect(door.jobs.arrived.slice(-3).every(({ headers }) => headers['content-length'] === undefined)).toBe(true);
  });

  test('paths mean the same on both sides, and nothing but routes can be named', async () => {
    for (const path of ['/internal/jobs', '/v1/jobs/../../internal/x', '//v1/jobs', '/V1/jobs', '/v1%2Fjobs', '/metrics']) {
      const before = door.jobs.arrived.length;
      const { status, body } = await sendRaw(door.url, get(path));
      expect([path, status, body]).toEqual([path, 404, expect.stringContaining('"code":"not_found"')]);
      expect(door.jobs.arrived).toHaveLength(before);
    }
    // Encoded, it is part of an id, and the service sees what was sent.
    await sendRaw(door.url, get('/v1/jobs/..%2F..%2Finternal?x=%00'));
    expect(door.jobs.last().url).toBe('/v1/jobs/..%2F..%2Finternal?x=%00');
    for (const [index, scheme] of ['http', 'HTTP', 'hTTpS'].entries()) {
      expect((await sendRaw(door.url, get(`${scheme}://evil.example/v1/jobs?a=${index}`))).status).toBe(200);
      expect(door.jobs.last()).toMatchObject({ url: `/v1/jobs?a=${index}`, headers: { host: new URL(door.jobs.url).host } });
    }
    expect((await sendRaw(door.url, get('/v1/jobs/%ff'))).status).toBe(400);
    expect((await sendRaw(door.url, get(`/v1/jobs/${'x'.repeat(101)}`))).status).toBe(404);
  });

  test('ids of requests and traces go through where they are sane, and are made where they are not', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    for (const id of ['order-4711-abc', 'req-7', '7', 'x'.repeat(128)]) {
      const sane = await sendRaw(door.url, get('/v1/jobs', `X-Request-Id: ${id}`, `traceparent: ${traceparent}`));
      expect(sane.headers['x-request-id']).toBe(id);
      expect(door.jobs.last().headers).toMatchObject({ 'x-request-id': id });
    }
    expect(door.jobs.last().headers.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/);
    for (const id of ['<script>alert(1)</script>', 'x'.repeat(129)]) {
      const odd = await sendRaw(door.url, get('/v1/jobs', `X-Request-Id: ${id}`, 'traceparent: 00-0-0-0'));
      expect(odd.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    }
    expect(door.jobs.last().headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});

describe('what reaches a client', () => {
  test('of a service’s headers those on the list, and ours with them', async () => {
    const headers = {
      etag: '"r7"',
      location: '/v1/jobs/job_1',
      'retry-after': '3',
      vary: 'accept-language',
      'set-cookie': 'a=b',
      server: 'thing/1.2',
      'x-powered-by': 'thing',
      'x-internal': 'host-7',
      'access-control-allow-origin': '*',
      'content-security-policy': 'default-src *',
    };
    door.jobs.answer(json(200, { fine: true }, headers));
    const answer = await door.as({ apiKey: key.key }).get('/v1/jobs');
    expect(answer.body).toEqual({ fine: true });
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag: '"r7"',
      location: '/v1/jobs/job_1',
      'retry-after': '3',
      vary: 'accept-language',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'x-content-type-options': 'nosniff',
      'ratelimit-policy': expect.stringMatching(/^"default";q=\d+;w=900$/),
      ratelimit: expect.stringMatching(/^"default";r=\d+;t=\d+$/),
    });
    for (const name of ['set-cookie', 'server', 'x-powered-by', 'x-internal', 'access-control-allow-origin']) {
      expect([name, answer.headers.get(name)]).toEqual([name, null]);
    }
  });

  test('and nothing that would let the pages of others read it, unless that is configured', async () => {
    const origin = { headers: { origin: 'https://app.example.com' } };
    const { status, headers } = await door.as({ apiKey: key.key }).get('/v1/jobs', origin);
    expect([status, headers.get('access-control-allow-origin'), headers.get('vary')]).toEqual([200, null, null]);
    const preflight = await fetch(`${door.url}/v1/jobs`, { method: 'OPTIONS', ...origin });
    expect([preflight.status, preflight.headers.get('allow')]).toEqual([405, 'POST, GET, HEAD']);
  });

  test('answers without a body, and heads of answers', async () => {
    door.jobs.answer((request, response) => {
      const status = { GET: 304, HEAD: 200, DELETE: 204 }[request.method ?? ''] ?? 202;
      response.writeHead(status, request.method === 'HEAD' ? { 'content-length': '12345', etag: '"r1"' } : { etag: '"r1"' }).end();
    });
    const api = door.as({ apiKey: key.key });
    const unmodified = await api.get('/v1/jobs', { headers: { 'if-none-match': '"r1"' } });
    expect([unmodified.status, unmodified.headers.get('etag'), unmodified.body]).toEqual([304, '"r1"', undefined]);
    const head = await fetch(`${door.url}/v1/jobs`, { method: 'HEAD', headers: { 'x-api-key': key.key } });
    expect([head.status, head.headers.get('content-length'), door.jobs.last().method]).toEqual([200, '12345', 'HEAD']);
    expect((await api.post('/v1/jobs/job_1/pause')).status).toBe(202);
    expect(door.jobs.last().headers).toMatchObject({ 'content-length': '0' });
    door.webhooks.answer((_request, response) => response.writeHead(204).end());
    expect((await api.delete('/v1/webhooks/whk_1')).status).toBe(204);
  });

  test('an answer that breaks off does not look whole', async () => {
    door.executions.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      response.write('half', () => response.destroy());
    });
    const answer = await fetch(`${door.url}/v1/executions/exe_1/report`, { headers: { 'x-api-key': key.key } });
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    await waitFor(() => door.gateway.logs().find((line) => line.includes('"isCut":true') && line.includes('/report')), {
      what: 'its line in the log',
    });
  });
});

describe('bodies', () => {
  const mebibyte = 1024 * 1024;
  const block = Buffer.alloc(mebibyte, 'x');

  test('too large ones are refused, and the client sees the refusal and not a reset', async () => {
    const arrivedBefore = door.webhooks.arrived.length;
    for (const connection of ['keep-alive', 'close']) {
      const head = ['POST /v1/webhooks HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, `Connection: ${connection}`];
      const declared = await open(door.url);
      declared.send([...head, `Content-Length: ${2 * mebibyte}`, '', ''].join('\r\n'));
      declared.send(Buffer.concat([block, block]));
      expect((await declared.answer()).status).toBe(413);
      declared.socket.destroy();
      expect(door.webhooks.arrived).toHaveLength(arrivedBefore);
    }
    door.webhooks.answer(async (request, response) => {
      await readAll(request);
      response.end();
    });
    for (const connection of ['keep-alive', 'close']) {
      const head = ['POST /v1/webhooks HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, `Connection: ${connection}`];
      const chunked = await open(door.url);
      chunked.send([...head, 'Transfer-Encoding: chunked', '', ''].join('\r\n'));
      // Sent to the end, whatever has been answered by then.
      for (let sent = 0; sent < 8; sent += 1) {
        chunked.send('100000\r\n');
        chunked.send(block);
        chunked.send('\r\n');
      }
      chunked.send('0\r\n\r\n');
      const { status, headers, body } = await chunked.answer();
      expect([connection, status, headers['content-type'], JSON.parse(body).code]).toEqual([
        connection,
        413,
        'application/problem+json; charset=utf-8',
        'payload_too_large',
      ]);
      if (connection === 'keep-alive') {
        // Nothing of the body is left over to be taken for a request.
        chunked.send(get('/v1/jobs?after=413'));
        expect((await chunked.answer()).body).toContain('after=413');
      }
      chunked.socket.destroy();
    }
  });

  test('a client that asks first is not made to send what is refused', async () => {
    const head = (path: string, credential: string) =>
      [`POST ${path} HTTP/1.1`, `Host: ${host()}`, `X-API-Key: ${credential}`, 'Content-Length: 7', 'Expect: 100-continue', '', ''].join(
        '\r\n',
      );
    const refused = await open(door.url);
    refused.send(head('/v1/webhooks', 'nonsense'));
    expect(await refused.answer()).toMatchObject({ status: 401, headers: { connection: 'close' } });
    refused.socket.destroy();
    const taken = await open(door.url);
    taken.send(head('/v1/webhooks', key.key));
    expect((await taken.answer()).status).toBe(100);
    taken.send('{"a":1}');
    expect((await taken.answer()).body).toContain('{\\"a\\":1}');
    taken.socket.destroy();
  });

  test('an answer that comes before its request is over is passed on', async () => {
    door.executions.answer((_request, response) => {
      response.writeHead(415, { 'content-type': 'application/problem+json' }).end('{"code":"unsupported_media_type"}');
    });
    const connection = await open(door.url);
    const lines = ['POST /v1/files HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, `Content-Length: ${4 * mebibyte}`];
    connection.send([...lines, 'Connection: close', '', ''].join('\r\n'));
    for (let sent = 0; sent < 4; sent += 1) connection.send(block);
    expect(await connection.answer()).toMatchObject({ status: 415, body: '{"code":"unsupported_media_type"}' });
    connection.socket.destroy();
  });
});
