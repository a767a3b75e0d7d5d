import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from '@nats-io/transport-node';
import { executionCompleted } from '@settler/contracts/events/executions';
import { type Client, client, createIsland, type Island, type StartedService, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const organizationId = executionCompleted.example.organizationId;
const otherOrganizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';

interface Received {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** A customer's receiver: keeps what it was sent, and answers by the path it was sent to. */
const startReceiver = async () => {
  const received: Received[] = [];
  const answers = new Map<string, (request: IncomingMessage) => { status: number; headers?: Record<string, string>; body?: string }>();
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const path = request.url ?? '';
      received.push({ path, headers: request.headers as Record<string, string>, body: Buffer.concat(parts).toString() });
      const { status, headers = {}, body = 'thank you' } = answers.get(path)?.(request) ?? { status: 200 };
      response.writeHead(status, headers).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    answers,
    at: (path: string) => received.filter((request) => request.path === path),
    close: () => new Promise((resolve) => server.close(resolve)),
  };
};

describe('the webhooks service', () => {
  let island: Island;
  let service: StartedService;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let api: Client;
  let counter = 0;

  const tokenFor = (organization: string, scopes: readonly string[] = ['*']) =>
    island.principalToken({ audience: 'webhooks', organizationId: organization, scopes });

  const settings = { RETRY_SCHEDULE_MS: '0,50,50', DELIVERY_TIMEOUT_MS: '1000', DELIVERY_POLL_MS: '50', DELIVERY_CLAIM_MARGIN_MS: '500' };

  /** Says that an execution was completed, as the executions service would. */
  const publish = async (organization = organizationId, version = 1): Promise<string> => {
    counter += 1;
    const id = `evt_01jqv8m0c4e7r9t2w5y${String(counter).padStart(7, '0')}`;
    const url = new URL(island.brokerUrl('executions'));
    const connection = await connect({ servers: url.host, user: url.username, pass: url.password, inboxPrefix: '_INBOX_executions' });
    connection.publish(
      `evt.executions.execution.completed.v1.${organization}`,
      JSON.stringify({
        specversion: '1.0',
        id,
        source: '/settler/executions',
        type: 'execution.completed',
        subject: executionCompleted.example.executionId,
        time: '2026-04-01T09:30:00.000Z',
        datacontenttype: 'application/json',
        organizationid: organization,
        aggregateversion: version,
        data: { ...executionCompleted.example, organizationId: organization },
      }),
    );
    await connection.drain();
    return id;
  };

  const create = async (path: string, body: Record<string, unknown> = {}) =>
    (await api.post('/v1/webhooks', { url: receiver.url + path, events: ['execution.completed'], ...body })).body;
  const deliveries = async (id: string) => (await api.get(`/v1/webhooks/${id}/deliveries`)).body.data;
  const ended = async (id: string, status: string, count = 1) => {
    await waitFor(async () => (await deliveries(id)).filter((delivery: { status: string }) => delivery.status === status).length >= count, {
      timeoutMs: 10_000,
      what: `${count} ${status}`,
    });
    return deliveries(id);
  };

  const sealedSecret = async (database: pg.Client, id: string): Promise<string> =>
    (await database.query('select secret from endpoints where id = $1', [id])).rows[0].secret;

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('webhooks');
    receiver = await startReceiver();
    service = await startService('webhooks', island.environmentFor('webhooks', settings));
    api = client(service.url, { token: () => tokenFor(organizationId) });
  });

  afterAll(async () => {
    await receiver.close();
    await island.dispose();
  });

  test('an endpoint receives each event once, signed, numbered and with the event’s own id', async () => {
    const endpoint = await create('/signed');
    expect(endpoint.secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    const first = await publish();
    const second = await publish();
    await waitFor(() => receiver.at('/signed').length === 2, { timeoutMs: 10_000, what: 'two deliveries' });
    const requests = receiver.at('/signed');
    for (const { headers, body } of requests) {
      const verified = new Webhook(endpoint.secret).verify(body, headers) as { type: string; data: { organizationId: string } };
      expect(verified.type).toBe('execution.completed');
      expect(verified.data.organizationId).toBe(organizationId);
    }
    expect(requests.map(({ headers }) => headers['webhook-id']).sort()).toEqual([first, second].sort());
    expect(requests.map(({ headers }) => headers['settler-sequence']).sort()).toEqual(['1', '2']);
    const [latest] = await ended(endpoint.id, 'delivered', 2);
    expect(latest).toMatchObject({
      eventType: 'execution.completed',
      sequence: 2,
      attempts: [{ statusCode: 200, responseBody: 'thank you', error: null }],
    });
    expect((await api.get(`/v1/deliveries/${latest.id}`)).body).toEqual(latest);
    expect((await api.get(`/v1/webhooks/${endpoint.id}`)).body).not.toHaveProperty('secret');
    expect((await api.delete(`/v1/webhooks/${endpoint.id}`)).status).toBe(204);
  });

  test('what a receiver answers at length is kept with the delivery, and lists show how it begins', async () => {
    receiver.answers.set('/talkative', () => ({ status: 200, body: 'x'.repeat(5_000) }));
    const endpoint = await create('/talkative');
    await publish();
    const [listed] = await ended(endpoint.id, 'delivered');
    const whole = (await api.get(`/v1/deliveries/${listed.id}`)).body;
    expect([listed, whole].map(({ attempts }) => attempts[0].responseBody.length)).toEqual([1_000, 5_000]);
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('a failure is tried again under the same id with the same bytes until it succeeds', async () => {
    let calls = 0;
    receiver.answers.set('/flaky', () => {
      calls += 1;
      return { status: calls < 3 ? 500 : 204 };
    });
    const endpoint = await create('/flaky');
    const id = await publish();
    const [delivery] = await ended(endpoint.id, 'delivered');
    expect(delivery.attempts.map((attempt: { statusCode: number }) => attempt.statusCode)).toEqual([500, 500, 204]);
    const requests = receiver.at('/flaky');
    expect(new Set(requests.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([id]));
    expect(new Set(requests.map(({ body }) => body)).size).toBe(1);
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('a redirect, a hanging receiver and a refused connection are failures, each with its reason', async () => {
    receiver.answers.set('/redirect', () => ({ status: 302, headers: { location: `${receiver.url}/elsewhere` } }));
    const redirecting = await create('/redirect');
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const hanging = (await api.post('/v1/webhooks', { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`, events: ['*'] }))
      .body;
    await publish();
    const [redirected] = await ended(redirecting.id, 'failed');
    expect(redirected.attempts).toHaveLength(3);
    expect(receiver.at('/elsewhere')).toHaveLength(0);
    const [hung] = await ended(hanging.id, 'failed');
    expect(hung.attempts[0]).toMatchObject({ statusCode: null, error: 'no complete answer within 1000 ms' });
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    await api.delete(`/v1/webhooks/${redirecting.id}`);
    await api.delete(`/v1/webhooks/${hanging.id}`);
  });

  test('410 disables the endpoint, whose events are held and numbered; enabling it again sends them, and what it said so to', async () => {
    let isGone = true;
    receiver.answers.set('/gone', () => ({ status: isGone ? 410 : 200 }));
    const endpoint = await create('/gone');
    await publish();
    await waitFor(async () => (await api.get(`/v1/webhooks/${endpoint.id}`)).body.status === 'disabled', {
      timeoutMs: 10_000,
      what: 'disabled',
    });
    expect((await api.get(`/v1/webhooks/${endpoint.id}`)).body.disabledReason).toContain('410');
    const told = await (await fetch(`${service.url}/metrics`)).text();
    expect(told).toMatch(/^settler_endpoints_disabled\{service="webhooks"\} 1$/m);
    expect(told).toMatch(/^settler_delivery_attempts_total\{result="gone",service="webhooks"\} 1$/m);
    expect(told).toMatch(/^settler_deliveries_pending\{service="webhooks"\} \d+$/m);
    expect(told).toMatch(/^settler_deliveries_due_oldest_seconds\{service="webhooks"\} \d/m);
    const database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
    await database.connect();
    const { rows } = await database.query(
      `select 1 from (select body from outbox union all select body from outbox_sent) as said
        where body like '%webhook.disabled%' and body like $1`,
      [`%${endpoint.id}%`],
    );
    await database.end();
    expect(rows).toHaveLength(1);
    await publish();
    const held = await ended(endpoint.id, 'held', 2);
    expect(held).toMatchObject([
      { sequence: 2, nextReason: 'held', nextAttemptAt: null, attempts: [] },
      { sequence: 1, nextReason: 'held', nextAttemptAt: null, attempts: [{ statusCode: 410 }] },
    ]);
    expect(receiver.at('/gone')).toHaveLength(1);
    isGone = false;
    expect((await api.patch(`/v1/webhooks/${endpoint.id}`, { status: 'active' })).body).toMatchObject({
      status: 'active',
      disabledReason: null,
    });
    await publish();
    await ended(endpoint.id, 'delivered', 3);
    expect(receiver.at('/gone').map(({ headers }) => headers['settler-sequence'])).toEqual(expect.arrayContaining(['1', '2', '3']));
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('a paused endpoint’s events are held and numbered, and sent when it is active again', async () => {
    const endpoint = await create('/paused');
    const paused = await api.patch(`/v1/webhooks/${endpoint.id}`, { status: 'paused' });
    expect(paused.body.status).toBe('paused');
    await publish();
    const [held] = await ended(endpoint.id, 'held');
    expect(held).toMatchObject({ sequence: 1, nextReason: 'paused', nextAttemptAt: null, attempts: [] });
    expect(receiver.at('/paused')).toHaveLength(0);
    await api.patch(`/v1/webhooks/${endpoint.id}`, { status: 'active' });
    await ended(endpoint.id, 'delivered');
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  /** With so many more endpoints like this one, and the database that they are in, while `work` goes on. */
  const amongMore = async (id: string, count: number, work: (database: pg.Client) => Promise<void>): Promise<void> => {
    const database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
    await database.connect();
    try {
      await database.query(
        `insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
         select id || n, organization_id, url, events, status, secret, created_at, updated_at from endpoints, generate_series(1, $2::int) n
          where id = $1`,
        [id, count],
      );
      await work(database);
    } finally {
      await database.query('delete from endpoints where id like $1', [`${id}%`]);
      await database.end();
    }
  };

  test('an organization with a thousand endpoints holds up nobody else’s events', async () => {
    const many = await create('/many');
    await api.patch(`/v1/webhooks/${many.id}`, { status: 'paused' });
    await amongMore(many.id, 1_000, async (database) => {
      const other = client(service.url, { token: () => tokenFor(otherOrganizationId) });
      const theirs = (await other.post('/v1/webhooks', { url: `${receiver.url}/behind`, events: ['*'] })).body;
      for (let count = 0; count < 40; count += 1) await publish();
      await publish(otherOrganizationId);
      await waitFor(() => receiver.at('/behind').length === 1, { timeoutMs: 45_000, what: 'the delivery of the other organization' });
      const { rows } = await database.query(
        `select distinct count, last_sequence = count as is_numbered
           from (select e.last_sequence, count(distinct d.sequence) as count from endpoints e join deliveries d on d.endpoint_id = e.id
                  where e.id like $1 and d.status = 'held' group by e.id) as each`,
        [`${many.id}%`],
      );
      expect(rows).toEqual([{ count: '40', is_numbered: true }]);
      await other.delete(`/v1/webhooks/${theirs.id}`);
    });
  });

  test('an endpoint that was just made has not been changed since, nor before', async () => {
    const own = api.as({ token: () => tokenFor('org_01jqv8m0c4e7r9t2w5y8a1b3da') });
    // The part of a millisecond at which each is made is chance.
    for (let made = 0; made < 20; made += 1) {
      const { id, createdAt, updatedAt } = (await own.post('/v1/webhooks', { url: `${receiver.url}/new`, events: ['*'] })).body;
      expect(updatedAt).toBe(createdAt);
      await own.delete(`/v1/webhooks/${id}`);
    }
  });

  test('an organization has at most 500 endpoints, however many are asked for at once', async () => {
    const own = api.as({ token: () => tokenFor('org_01jqv8m0c4e7r9t2w5y8a1b3d9') });
    const make = () => own.post('/v1/webhooks', { url: `${receiver.url}/full`, events: ['*'] });
    const { id } = (await make()).body;
    await amongMore(id, 497, async () => {
      const answers = await Promise.all(Array.from({ length: 6 }, make));
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 409, 409, 409, 409]);
      expect(answers.find(({ status }) => status === 409)?.body).toMatchObject({
        code: 'conflict',
        detail: expect.stringContaining('at most 500'),
      });
      await own.delete(`/v1/webhooks/${id}`);
      expect((await make()).status).toBe(201);
    });
  });

  test('events of another organization go nowhere else, and neither do its endpoints', async () => {
    const endpoint = await create('/mine', { events: ['*'] });
    await publish(otherOrganizationId);
    const mine = await publish();
    await ended(endpoint.id, 'delivered');
    expect(receiver.at('/mine').map(({ headers }) => headers['webhook-id'])).toEqual([mine]);
    const stranger = api.as({ token: () => tokenFor(otherOrganizationId) });
    const [delivery] = await deliveries(endpoint.id);
    for (const path of [`/v1/webhooks/${endpoint.id}`, `/v1/webhooks/${endpoint.id}/deliveries`, `/v1/deliveries/${delivery.id}`]) {
      expect((await stranger.get(path)).status).toBe(404);
    }
    expect((await stranger.patch(`/v1/webhooks/${endpoint.id}`, { status: 'paused' })).status).toBe(404);
    expect((await stranger.delete(`/v1/webhooks/${endpoint.id}`)).status).toBe(404);
    expect((await stranger.get('/v1/webhooks')).body.data).toEqual([]);
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('does not begin with another key than what it keeps was sealed under', async () => {
    const endpoint = await create('/sealed');
    const other = { ...settings, ENCRYPTION_KEY: randomBytes(32).toString('base64') };
    await service.stop();
    await expect(startService('webhooks', island.environmentFor('webhooks', other))).rejects.toThrow('ENCRYPTION_KEY has another key');
    service = await startService('webhooks', island.environmentFor('webhooks', settings));
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('killed between sending and recording, it sends the same id again and loses nothing', async () => {
    const endpoint = await create('/killed');
    await service.stop();
    const doomed = await startService('webhooks', island.environmentFor('webhooks', { ...settings, SETTLER_FAULT: 'webhooks.sent' }));
    const id = await publish();
    await doomed.exited;
    expect(receiver.at('/killed')).toHaveLength(1);
    service = await startService('webhooks', island.environmentFor('webhooks', settings));
    await waitFor(async () => (await deliveries(endpoint.id)).some((delivery: { status: string }) => delivery.status === 'delivered'), {
      timeoutMs: 10_000,
      what: 'the second attempt, once the claim expired',
    });
    expect(receiver.at('/killed').map(({ headers }) => headers['webhook-id'])).toEqual([id, id]);
    await api.delete(`/v1/webhooks/${endpoint.id}`);
  });

  test('an endpoint’s own headers are sent, shown by name alone, and stored sealed, also those of before they were', async () => {
    const database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
    await database.connect();
    const stored = async (id: string) =>
      (await database.query('select headers, header_names, sealed_headers from endpoints where id = $1', [id])).rows[0];
    try {
      const endpoint = await create('/own', { headers: { Authorization: 'Bearer s3cret', 'X-Team': 'payments' } });
      expect(endpoint.headers).toEqual({ Authorization: '••••', 'X-Team': '••••' });
      expect((await api.patch(`/v1/webhooks/${endpoint.id}`, { description: 'ours' })).body.headers).toEqual(endpoint.headers);
      // They are for this server: whoever may change its address must not come to read them.
      const elsewhere = { url: 'http://127.0.0.1:1/own' };
      const moved = await api.patch(`/v1/webhooks/${endpoint.id}`, elsewhere);
      expect(moved).toMatchObject({ status: 400, body: { errors: [{ path: 'headers' }] } });
      expect((await api.patch(`/v1/webhooks/${endpoint.id}`, { url: endpoint.url })).status).toBe(200);
      const bare = await create('/bare');
      expect((await api.patch(`/v1/webhooks/${bare.id}`, elsewhere)).status).toBe(200);
      await api.delete(`/v1/webhooks/${bare.id}`);
      const { sealed_headers: sealed, ...readable } = await stored(endpoint.id);
      expect(readable).toEqual({ headers: {}, header_names: ['Authorization', 'X-Team'] });
      expect(sealed).not.toContain('s3cret');
      await publish();
      await ended(endpoint.id, 'delivered');
      expect(receiver.at('/own')[0]?.headers).toMatchObject({ authorization: 'Bearer s3cret', 'x-team': 'payments' });

      await database.query(
        `update endpoints set headers = '{"X-Old": "of before"}', header_names = '{}', sealed_headers = null where id = $1`,
        [endpoint.id],
      );
      expect((await api.get(`/v1/webhooks/${endpoint.id}`)).body.headers).toEqual({ 'X-Old': '••••' });
      await service.stop();
      service = await startService('webhooks', island.environmentFor('webhooks', settings));
      expect(await stored(endpoint.id)).toMatchObject({ headers: {}, header_names: ['X-Old'] });
      await publish();
      await ended(endpoint.id, 'delivered', 2);
      expect(receiver.at('/own')[1]?.headers).toMatchObject({ 'x-old': 'of before' });

      expect((await api.patch(`/v1/webhooks/${endpoint.id}`, { headers: {} })).body.headers).toEqual({});
      expect(await stored(endpoint.id)).toEqual({ headers: {}, header_names: [], sealed_headers: null });
      await api.delete(`/v1/webhooks/${endpoint.id}`);
    } finally {
      await database.end();
    }
  });

  test('what cannot be signed is not sent, and each attempt says why', async () => {
    const secret = await create('/sealed');
    const headers = await create('/sealed', { headers: { 'X-Team': 'payments' } });
    const database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
    await database.connect();
    // Each of them sealed for another place, which is to the box as if it was sealed with another key.
    await database.query('update endpoints set secret = $2 where id = $1', [secret.id, await sealedSecret(database, headers.id)]);
    await database.query('update endpoints set sealed_headers = $2 where id = $1', [headers.id, await sealedSecret(database, secret.id)]);
    await database.end();
    await publish();
    for (const { id } of [secret, headers]) {
      const [{ attempts }] = await ended(id, 'failed');
      const attempt = { statusCode: null, responseBody: null, error: expect.stringContaining('cannot be decrypted') };
      expect(attempts).toEqual(Array.from({ length: 3 }, () => expect.objectContaining(attempt)));
      await api.delete(`/v1/webhooks/${id}`);
    }
    expect(receiver.at('/sealed')).toEqual([]);
  });

  test('an answer that echoes the endpoint’s own headers is kept without their values, also where one is cut off', async () => {
    const secret = `Bearer ${'s3cret'.repeat(20)}`;
    const padding = 'x'.repeat(16 * 1024 - 60);
    receiver.answers.set('/echo', ({ headers }) => ({ status: 400, body: JSON.stringify({ ...headers }) }));
    receiver.answers.set('/echo-late', ({ headers }) => ({ status: 400, body: `${padding}${headers.authorization}`.repeat(2) }));
    receiver.answers.set('/echo-much', ({ headers }) => ({ status: 400, body: `${headers.authorization} `.repeat(400) }));
    for (const path of ['/echo', '/echo-late', '/echo-much']) {
      const endpoint = await create(path, { headers: { Authorization: secret, 'X-Team': 'payments' } });
      await publish();
      const [{ id }] = await ended(endpoint.id, 'failed');
      const { attempts } = (await api.get(`/v1/deliveries/${id}`)).body;
      for (const { responseBody } of attempts) {
        expect(responseBody).toContain('••••');
        expect(responseBody).not.toMatch(/s3cret|payments/);
        expect(Buffer.byteLength(responseBody)).toBeLessThanOrEqual(16 * 1024);
      }
      expect(receiver.at(path)[0]?.headers).toMatchObject({ authorization: secret, 'x-team': 'payments' });
      await api.delete(`/v1/webhooks/${endpoint.id}`);
    }
  });

  test.each([
    ['http://169.254.169.254/latest', 'must be a public address'],
    ['http://10.0.0.1/', 'must be a public address'],
    ['http://[::ffff:127.0.0.1]/', 'must write the address in its usual form'],
    ['http://[::ffff:7f00:1]/', 'must be a public address'],
    ['http://0.0.0.0/', 'must be a public address'],
    ['http://0x7f.1/', 'must write the address in its usual form'],
    ['http://2130706433/', 'must write the address in its usual form'],
    ['http://localhost/', 'must be a public address'],
    ['http://2130706433:9/path?127.0.0.1', 'must write the address in its usual form'],
    ['http://[::7f00:1]/', 'must be a public address'],
    ['http:127.0.0.1:9', 'must be an http or https URL, such as https://example.com/hook'],
    ['http://127.0.0.1:9\\@example.com/', 'must be an http or https URL, such as https://example.com/hook'],
    [' https://example.com/', 'must be an http or https URL, such as https://example.com/hook'],
    ['https://example.com:0/', 'must not be port 0'],
    ['ftp://example.com/', 'must be an http or https URL, such as https://example.com/hook'],
    ['http://user:pw@example.com/', 'must not hold credentials; use a header'],
    ['not a url', 'must be an http or https URL, such as https://example.com/hook'],
  ])('%s is refused: %s', async (url, message) => {
    const { status, body } = await api.post('/v1/webhooks', { url, events: ['*'] });
    expect(status).toBe(400);
    expect(body).toMatchObject({ code: 'validation_failed', errors: [{ path: 'url', message }] });
  });

  test('what cannot be is refused with its path', async () => {
    const faults = async (body: unknown) => (await api.post('/v1/webhooks', body)).body.errors;
    expect(await faults({ url: receiver.url, events: ['webhook.disabled'] })).toMatchObject([{ path: 'events[0]' }]);
    expect(await faults({ url: receiver.url, events: [] })).toMatchObject([{ path: 'events' }]);
    expect(await faults({ url: receiver.url, events: ['*'], colour: 'red' })).toEqual([
      { path: 'colour', message: 'is not a known field' },
    ]);
    expect(await faults({ url: receiver.url, events: ['*'], filter: [] })).toMatchObject([{ path: 'filter' }]);
    expect(await faults({ url: receiver.url, events: ['*'], headers: { 'webhook-id': 'x' } })).toMatchObject([
      { path: 'headers.webhook-id', message: 'is a header that Settler sets itself' },
    ]);
    for (const name of ['Expect', 'upgrade', 'Keep-Alive'])
      expect(await faults({ url: receiver.url, events: ['*'], headers: { [name]: 'x' } })).toMatchObject([{ path: `headers.${name}` }]);
    expect(await faults({ url: receiver.url, events: ['*'], headers: { 'X-A': '1', 'x-a': '2' } })).toMatchObject([{ path: 'headers' }]);
    expect((await api.get('/v1/webhooks?cursor=abc')).body.errors).toMatchObject([{ path: 'cursor' }]);
    for (const limit of ['0', '201', '-1', '1e2', '0x10', '%207', '7.0', 'seven', ''])
      expect([limit, (await api.get(`/v1/webhooks?limit=${limit}`)).body.errors]).toMatchObject([limit, [{ path: 'limit' }]]);
    const malformed = await api.post('/v1/webhooks', undefined, { raw: '{"url":', headers: { 'content-type': 'application/json' } });
    expect(malformed).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    const text = await api.post('/v1/webhooks', undefined, { raw: 'hello', headers: { 'content-type': 'text/plain' } });
    expect(text).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  });

  test('credentials: none is 401, too little scope 403 with the scope that is needed', async () => {
    const routes = [
      ['GET', '/v1/webhooks', 'webhooks:read'],
      ['POST', '/v1/webhooks', 'webhooks:write'],
      ['GET', '/v1/event-types', 'webhooks:read'],
      ['DELETE', '/v1/webhooks/whk_01jqv8m0c4e7r9t2w5y8a1b3d6', 'webhooks:delete'],
    ] as const;
    const powerless = tokenFor(organizationId, ['jobs:read']);
    for (const [method, path, scope] of routes) {
      const bare = await fetch(service.url + path, { method });
      expect([bare.status, ((await bare.json()) as { code: string }).code]).toEqual([401, 'unauthenticated']);
      const weak = await fetch(service.url + path, { method, headers: { authorization: `Bearer ${powerless}` } });
      expect([weak.status, ((await weak.json()) as { requiredScope: string }).requiredScope]).toEqual([403, scope]);
    }
  });

  test('an Idempotency-Key gives the first answer again without the secret, and refuses another body', async () => {
    const headers = { 'idempotency-key': 'create-1' };
    const body = { url: `${receiver.url}/once`, events: ['*'] };
    const first = await api.post('/v1/webhooks', body, { headers });
    const again = await api.post('/v1/webhooks', body, { headers });
    const { secret, ...rest } = first.body;
    expect(secret).toBeDefined();
    expect(again).toMatchObject({ status: 201, body: rest });
    expect(again.body).not.toHaveProperty('secret');
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await api.post('/v1/webhooks', { ...body, events: ['job.*'] }, { headers })).body.code).toBe('idempotency_key_reused');
    expect((await api.get('/v1/webhooks')).body.data.filter((item: { id: string }) => item.id === first.body.id)).toHaveLength(1);
  });

  test('If-Match protects against changes made from an old state', async () => {
    const created = await api.post('/v1/webhooks', { url: `${receiver.url}/etag`, events: ['job.*'] });
    const etag = created.headers.get('etag') ?? '';
    const path = `/v1/webhooks/${created.body.id}`;
    const changed = await api.patch(path, { description: 'first' }, { headers: { 'if-match': etag } });
    expect(changed.status).toBe(200);
    const late = await api.patch(path, { description: 'second' }, { headers: { 'if-match': etag } });
    expect(late).toMatchObject({ status: 412, body: { code: 'version_conflict' } });
    const unchanged = await api.get(path, { headers: { 'if-none-match': changed.headers.get('etag') ?? '' } });
    expect(unchanged.status).toBe(304);
  });

  test('the catalogue of events has a schema and an example each', async () => {
    const { body } = await api.get('/v1/event-types');
    expect(body.data.map((item: { type: string }) => item.type)).toContain('execution.completed');
    for (const item of body.data) expect(item).toMatchObject({ schema: { type: 'object' }, example: expect.any(Object) });
    const { body: first } = await api.get('/v1/event-types?limit=20');
    const { body: second } = await api.get(`/v1/event-types?limit=200&cursor=${first.nextCursor}`);
    expect([first.data.length, [...first.data, ...second.data], second.nextCursor]).toEqual([20, body.data, null]);
  });
});
