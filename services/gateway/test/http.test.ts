import { waitFor } from '@settler/harness';
import { open, sendRaw } from '@settler/harness/raw';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Door, type Key, startDoor } from './setup.ts';
import { json } from './stand-in.ts';

const origin = 'https://app.example.com';
let door: Door;
let key: Key;
let metricsPort = 0;
beforeAll(async () => {
  door = await startDoor(async (island) => {
    metricsPort = await island.sparePort();
    return { METRICS_PORT: String(metricsPort), CORS_ORIGINS: `${origin}, https://other.example.com:8443` };
  });
  key = await door.createKey(await door.register());
});
afterAll(() => door.dispose());

describe('every answer', () => {
  test('has the headers that keep browsers from making more of it than data, and names no software', async () => {
    for (const [method, path, status] of [
      ['GET', '/v1/jobs', 200],
      ['GET', '/v1/nothing', 404],
      ['PUT', '/v1/jobs', 405],
      ['POST', '/v1/me/organizations', 405],
      ['GET', '/v1/me/organizations', 403],
      ['GET', '/health', 200],
      ['GET', '/health/ready', 200],
    ] as const) {
      const answer = await fetch(door.url + path, { method, headers: { 'x-api-key': key.key } });
      expect([path, answer.status]).toEqual([path, status]);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-frame-options': expect.any(String),
        'referrer-policy': 'no-referrer',
        'strict-transport-security': expect.stringContaining('max-age='),
        'cross-origin-resource-policy': 'same-origin',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      for (const name of ['server', 'x-powered-by', 'via']) expect([name, answer.headers.get(name)]).toEqual([name, null]);
      expect(await answer.text()).not.toMatch(/fastify|node|undici/i);
    }
  });

  test('to a method that a path does not have lists those that it has', async () => {
    const answer = await door.as({}).put('/v1/jobs', { any: 'thing' });
    expect([answer.status, answer.headers.get('allow'), answer.body.code]).toEqual([405, 'POST, GET, HEAD', 'method_not_allowed']);
    // Named by the contract, and no id that a path with parameters would take it for.
    for (const [method, path] of [
      ['GET', '/v1/invitations/accept'],
      ['DELETE', '/v1/invitations/accept'],
      ['HEAD', '/v1/invitations/accept'],
      ['PATCH', '/v1/exceptions/bulk-resolve'],
    ] as const) {
      const { status, headers } = await fetch(door.url + path, { method });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, 'POST']);
    }
    // Outside of the contract.
    for (const path of ['/health', '/health/live', '/health/ready', '/openapi.json', '/docs', '/docs/']) {
      const { status, headers } = await fetch(door.url + path, { method: 'POST' });
      expect([path, status, headers.get('allow')]).toEqual([path, 405, 'GET, HEAD']);
    }
    expect((await door.as({}).get('/v1/invitations/accepted')).status).toBe(401);
    // Whatever the body is, there is nobody to take it.
    const odd = await door.as({}).post('/v1/nothing', undefined, { raw: '{broken', headers: { 'content-type': 'application/json' } });
    expect([odd.status, odd.body.code]).toEqual([404, 'not_found']);
    expect((await door.as({}).post('/v1/nothing', undefined, { raw: 'a', headers: { 'content-type': 'text/odd' } })).status).toBe(404);
  });
});

describe('a browser', () => {
  const ask = (headers: Record<string, string>, method = 'GET') =>
    fetch(`${door.url}/v1/jobs`, { method, headers: { 'x-api-key': key.key, ...headers } });
  const preflight = (from: string) =>
    fetch(`${door.url}/v1/jobs`, {
      method: 'OPTIONS',
      headers: { origin: from, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-api-key,idempotency-key' },
    });

  test('may show answers to the pages of configured origins, and tells caches that it depends', async () => {
    door.jobs.answer(json(200, {}, { vary: 'accept-language' }));
    const allowed = await ask({ origin });
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
    expect(allowed.headers.get('access-control-allow-credentials')).toBeNull();
    expect(allowed.headers.get('access-control-expose-headers')).toContain('ratelimit');
    expect(allowed.headers.get('vary')).toBe('Origin, accept-language');
    expect((await ask({ origin: 'https://other.example.com:8443' })).headers.get('access-control-allow-origin')).toBe(
      'https://other.example.com:8443',
    );
    const refusal = await fetch(`${door.url}/v1/jobs`, { headers: { origin } });
    expect([refusal.status, refusal.headers.get('access-control-allow-origin')]).toEqual([401, origin]);
  });

  test('may not show them to any other', async () => {
    for (const other of [
      'https://app.example.com.evil.example',
      'http://app.example.com',
      'https://evil.example',
      'null',
      'https://other.example.com',
    ]) {
      expect([other, (await ask({ origin: other })).headers.get('access-control-allow-origin')]).toEqual([other, null]);
      expect([other, (await preflight(other)).headers.get('access-control-allow-origin')]).toEqual([other, null]);
    }
  });

  test('is told before it asks', async () => {
    const before = door.jobs.arrived.length;
    const answer = await preflight(origin);
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, POST, PATCH, DELETE');
    expect(answer.headers.get('access-control-allow-headers')).toContain('idempotency-key');
    expect(answer.headers.get('access-control-max-age')).toBe('600');
    expect(door.jobs.arrived).toHaveLength(before);
    // One without a question is not an error of ours to show in plain text.
    const odd = await fetch(`${door.url}/v1/jobs`, { method: 'OPTIONS' });
    expect([odd.status, await odd.text()]).toEqual([204, '']);
  });
});

describe('what is not HTTP, or too much of it', () => {
  const head = (lines: readonly string[]) => [...lines, '', ''].join('\r\n');

  test('a body that is packed is not taken for what is in it, whichever header says so', async () => {
    const before = door.jobs.arrived.length;
    for (const packed of ['Transfer-Encoding: gzip, chunked', 'Transfer-Encoding: chunked\r\nContent-Encoding: gzip']) {
      const connection = await open(door.url);
      const lines = ['POST /v1/jobs HTTP/1.1', 'Host: x', `X-API-Key: ${key.key}`, 'Content-Type: application/json', packed];
      connection.send(`${head(lines)}2\r\n{}\r\n0\r\n\r\n`);
      const { status, body } = await connection.answer();
      expect([packed, status, JSON.parse(body).code]).toEqual([packed, 415, 'unsupported_media_type']);
      connection.socket.destroy();
    }
    expect(door.jobs.arrived).toHaveLength(before);
  });

  test('a Content-Type that is none, or empty, is what is refused, also where a body needs not be JSON', async () => {
    const before = door.executions.arrived.length;
    for (const path of ['/v1/files', '/v1/exceptions/bulk-resolve'])
      for (const type of ['', ' ', 'weird', 'text/']) {
        const lines = [`POST ${path} HTTP/1.1`, 'Host: x', `X-API-Key: ${key.key}`, `Content-Type: ${type}`, 'Content-Length: 2'];
        const { status, body } = await sendRaw(door.url, `${head(lines)}Id`);
        expect([path, type, status, JSON.parse(body)]).toMatchObject([
          path,
          type,
          415,
          { code: 'unsupported_media_type', detail: 'The Content-Type is no media type such as application/json, or text/csv of a file.' },
        ]);
      }
    expect(door.executions.arrived).toHaveLength(before);
  });

  const huge = 'x'.repeat(200_000);

  test('is answered with a problem document, and its connection ends', async () => {
    for (const [what, bytes, status] of [
      ['a path that cannot be decoded', head(['GET /v1/jobs/%E0%A4%A HTTP/1.1', 'Host: x']), 400],
      ['no HTTP at all', 'hello\r\n\r\n', 400],
      ['a TLS greeting', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), 400],
      ['another version', head(['GET /v1/jobs HTTP/9.9', 'Host: x']), 400],
      ['a method that nobody knows', head(['HACK /v1/jobs HTTP/1.1', 'Host: x']), 400],
      ['no host', head(['GET /v1/jobs HTTP/1.1']), 400],
      ['two hosts', head(['GET /v1/jobs HTTP/1.1', 'Host: x', 'Host: y']), 400],
      ['a NUL in a header', head(['GET /v1/jobs HTTP/1.1', 'Host: x', 'X-A: a\0b']), 400],
      ['a header across lines', head(['GET /v1/jobs HTTP/1.1', 'Host: x', 'X-A: a', ' b']), 400],
      ['a bare line feed', 'GET /v1/jobs HTTP/1.1\nHost: x\n\n', 400],
      ['headers that are too large', head(['GET /v1/jobs HTTP/1.1', 'Host: x', `X-A: ${huge}`]), 431],
      ['a path that is too large', head([`GET /v1/jobs?${huge} HTTP/1.1`, 'Host: x']), 431],
    ] as const) {
      const connection = await open(door.url);
      connection.send(bytes);
      const answer = await connection.answer();
      expect([what, answer.status, answer.headers['content-type']]).toEqual([what, status, 'application/problem+json; charset=utf-8']);
      expect(answer.headers).toMatchObject({
        'content-security-policy': "default-src 'none';frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      expect(JSON.parse(answer.body)).toEqual({
        type: 'urn:settler:problem:malformed_request',
        title: expect.any(String),
        status,
        detail: expect.any(String),
        code: 'malformed_request',
        traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      });
      connection.socket.end();
      expect([what, await connection.closed]).toEqual([what, { isReset: false }]);
    }
  });

  test('is among the requests in the log, where it was one', async () => {
    const requestId = 'cannot-be-decoded-1';
    await sendRaw(door.url, head(['GET /v1/jobs/%E0%A4%A HTTP/1.1', 'Host: x', `X-Request-Id: ${requestId}`]));
    const line = await waitFor(() => door.gateway.logs().find((one) => one.includes(requestId)), { what: 'its line in the log' });
    expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'request', method: 'GET', route: 'unknown', status: 400 });
  });

  test('after requests that were good leaves their answers whole', async () => {
    const connection = await open(door.url);
    connection.send(`${head(['GET /v1/jobs HTTP/1.1', 'Host: x', `X-API-Key: ${key.key}`])}nonsense\r\n\r\n`);
    const first = await connection.answer();
    expect(first.status).toBe(200);
    await connection.closed;
    expect(connection.rest()).not.toContain('HTTP/1.1 200');
  });

  test('is refused where it is meant for another kind of server', async () => {
    const connection = await open(door.url);
    connection.send(head(['CONNECT evil.example:443 HTTP/1.1', 'Host: evil.example:443']));
    await connection.closed;
    expect(connection.rest()).not.toContain(' 200 ');
    expect((await sendRaw(door.url, head(['TRACE /v1/jobs HTTP/1.1', 'Host: x', 'X-Secret: 1']))).body).not.toContain('X-Secret');
    const upgrade = [
      'GET /v1/jobs HTTP/1.1',
      'Host: x',
      `X-API-Key: ${key.key}`,
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ];
    expect((await sendRaw(door.url, head(upgrade))).status).toBe(200);
    expect(door.jobs.last().headers).not.toHaveProperty('upgrade');
    expect(door.jobs.last().headers).not.toHaveProperty('http2-settings');
  });
});

test('metrics are served on a port of their own, by route and never by path, requests that were given up among them', async () => {
  door.executions.answer(() => {});
  const before = door.executions.arrived.length;
  const connection = await open(door.url);
  connection.send(`GET /v1/executions/exe_secret HTTP/1.1\r\nHost: x\r\nX-API-Key: ${key.key}\r\n\r\n`);
  await waitFor(() => door.executions.arrived.length > before, { what: 'the request to arrive' });
  connection.socket.destroy();
  const text = await waitFor(
    async () => {
      const found = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      return found.includes('status="499"') && found;
    },
    { what: 'the request that was given up to be counted' },
  );
  expect(text).toMatch(/^settler_breaker_open\{.*upstream="jobs".*\} 0$/m);
  const givenUp = text.split('\n').find((line) => line.includes('_count{') && line.includes('status="499"'));
  expect(givenUp).toMatch(/^settler_http_request_duration_seconds_count\{.*method="GET",route="\/v1\/executions\/:id".* 1$/);
  expect(text).toMatch(/^# HELP /);
  const knownAt = Number(/settler_revocations_known_timestamp_seconds\{service="gateway"\} (\S+)/.exec(text)?.[1]);
  expect(Date.now() / 1000 - knownAt).toBeLessThan(5);
  expect(text).not.toContain('exe_secret');
  expect((await fetch(`${door.url}/metrics`)).status).toBe(404);
});
