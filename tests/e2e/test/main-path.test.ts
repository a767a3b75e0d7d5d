/** From an empty installation to a reconciled month, over HTTP and through the gateway, as a customer's program does it. */
import { type Client, client, type System, sharedSystem, waitFor } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

let system: System;
let databases: Databases;
let receiver: Receiver;

beforeAll(async () => {
  const [shared, started] = await Promise.all([sharedSystem(), startReceiver()]);
  ({ system } = shared);
  receiver = started;
  databases = await openDatabases(shared.island);
});
afterAll(async () => {
  await Promise.all([receiver.close(), databases.close()]);
});

const orders = ['Id,Amount,Currency,Date,Order', 'o1,10.00,EUR,2026-04-01,#R1', 'o2,20.00,EUR,2026-04-01,#R2', 'o3,7.00,EUR,x,#R3'].join(
  '\n',
);
const payments = [
  { id: 'p1', amount: '10.00', currency: 'EUR', date: '2026-04-02', reference: 'r1' },
  { id: 'p2', amount: '21.00', currency: 'EUR', date: '2026-04-02', reference: 'r2' },
  { id: 'p9', amount: '9.00', currency: 'EUR', date: '2026-04-02', reference: 'r9' },
];
const job = {
  name: 'orders against payments',
  source: { adapter: 'csv', config: { fields: { id: 'Id', amount: 'Amount', currency: 'Currency', date: 'Date', reference: 'Order' } } },
  target: { adapter: 'records', config: {} },
  rules: {
    passes: [
      {
        name: 'by reference',
        match: [
          { field: 'reference', type: 'exact', normalize: ['lowercase', { stripPrefix: '#' }] },
          { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' }, verify: true },
          { field: 'date', type: 'date', within: { after: 3 }, verify: true },
        ],
      },
    ],
  },
};

const registered = async (name: string): Promise<{ readonly user: Client; readonly key: Client; readonly accessToken: string }> => {
  const account = { email: `${name}@example.com`, password: 'a password of several words', organizationName: name };
  expect((await client(system.url).post('/v1/auth/register', account)).status).toBe(201);
  const login = await client(system.url).post('/v1/auth/login', { email: account.email, password: account.password });
  expect(login.status).toBe(200);
  const user = client(system.url, { token: login.body.accessToken });
  const created = await user.post('/v1/api-keys', { name: 'shop', scopes: ['*'] });
  expect(created.status).toBe(201);
  return { user, key: client(system.url, { apiKey: created.body.key }), accessToken: login.body.accessToken };
};

test('a month is reconciled, explained, delivered and audited', async () => {
  const { key } = await registered('harbour');
  const webhook = await key.post('/v1/webhooks', { url: receiver.url, events: ['execution.completed'] });
  expect(webhook.status).toBe(201);
  receiver.trust(webhook.body.secret);

  const file = await key.post('/v1/files?name=orders.csv', undefined, { raw: orders, headers: { 'content-type': 'text/csv' } });
  expect(file).toMatchObject({ status: 201, body: { name: 'orders.csv', contentType: 'text/csv' } });
  const created = await key.post('/v1/jobs', job);
  expect(created.status).toBe(201);
  const started = await key.post(`/v1/jobs/${created.body.id}/executions`, {
    source: { fileId: file.body.id },
    target: { records: payments },
  });
  expect(started).toMatchObject({ status: 202, body: { jobId: created.body.id, jobVersion: 1 } });
  const place = `/v1/executions/${started.body.id}`;
  expect(started.headers.get('location')).toBe(place);

  // The stream is followed to its end, and tells how it ended.
  const events = await key.get(`${place}/events`);
  expect(events.headers.get('content-type')).toBe('text/event-stream');
  expect(events.body).toMatch(/event: completed\ndata: .*"status":"completed"/);

  const execution = (await key.get(place)).body;
  expect(execution).toMatchObject({
    status: 'completed',
    error: null,
    summary: { matched: 1, mismatched: 1, missingInTarget: 0, missingInSource: 1, invalid: 1 },
  });
  const { data: results } = (await key.get(`${place}/results`)).body;
  expect(results.map(({ outcome }: { outcome: string }) => outcome).sort()).toEqual([
    'invalid',
    'matched',
    'mismatched',
    'missing_in_source',
  ]);
  const { body: report } = await key.get(`${place}/report`);
  expect(report.certificate.holds).toBe(true);
  const { body: exceptions } = await key.get(`/v1/exceptions?jobId=${created.body.id}`);
  expect(exceptions.data.map(({ category }: { category: string }) => category).sort()).toEqual([
    'amount_mismatch',
    'invalid_record',
    'missing_in_source',
  ]);

  const delivered = await waitFor(() => receiver.received.find(({ type }) => type === 'execution.completed'), { what: 'the webhook' });
  expect(delivered.data).toMatchObject({ executionId: execution.id, status: 'completed' });
  expect(receiver.refused).toEqual([]);
  const [delivery] = (await key.get(`/v1/webhooks/${webhook.body.id}/deliveries`)).body.data;
  expect(delivery).toMatchObject({ eventId: delivered.id, eventType: 'execution.completed' });

  const actions = await waitFor(
    async () => {
      const { body } = await key.get('/v1/audit-events?limit=200');
      const found = new Set(body.data.map(({ action }: { action: string }) => action));
      return (
        ['execution.queued', 'execution.completed', 'job.created', 'webhook.created', 'api-key.created'].every((action) =>
          found.has(action),
        ) && found
      );
    },
    { what: 'the audit trail' },
  );
  expect(actions.has('organization.created')).toBe(true);
  expect((await key.get('/v1/audit-events/verify')).body).toMatchObject({ valid: true });
});

test('a job that is due runs by itself, once, and says when it is due next', async () => {
  const { key } = await registered('lighthouse');
  const side = (id: string) => ({
    adapter: 'records',
    config: { records: [{ id, amount: '10.00', currency: 'EUR', date: '2026-04-01', reference: 'R1' }] },
  });
  const schedule = { cron: '30 6 2 1 *', timezone: 'Europe/Berlin' };
  const created = await key.post('/v1/jobs', { ...job, source: side('o1'), target: side('p1'), schedule });
  expect(created.status).toBe(201);
  const { id, nextRunAt } = created.body;
  // The second of January may be a long way off.
  await databases.rows('jobs', `update jobs set next_run_at = now() - interval '5 seconds' where id = $1`, [id]);

  const run = await waitFor(
    async () => (await key.get(`/v1/executions?jobId=${id}`)).body.data.find(({ status }: { status: string }) => status === 'completed'),
    { what: 'the scheduled run', timeoutMs: 30_000 },
  );
  expect(run).toMatchObject({ createdBy: { type: 'system' }, summary: { matched: 1 } });
  const told = await waitFor(
    async () => {
      const { body } = await key.get(`/v1/jobs/${id}`);
      return body.lastExecution?.status === 'completed' && body;
    },
    { what: 'the job to hear of its run' },
  );
  expect(told).toMatchObject({ nextRunAt, lastExecution: { id: run.id } });
  expect((await key.get(`/v1/executions?jobId=${id}`)).body.data).toHaveLength(1);
});

test('a revoked key and an ended session are refused within a second', async () => {
  const { user, key, accessToken } = await registered('revoker');
  const { id } = (await key.get('/v1/me')).body;
  expect((await user.delete(`/v1/api-keys/${id}`)).status).toBe(204);
  await waitFor(async () => (await key.get('/v1/me')).status === 401, { what: 'the key to be refused', timeoutMs: 1_000 });

  const { refreshToken } = (
    await client(system.url).post('/v1/auth/login', { email: 'revoker@example.com', password: 'a password of several words' })
  ).body;
  expect(refreshToken).toBeTypeOf('string');
  const session = client(system.url, { token: accessToken });
  const again = await client(system.url).post('/v1/auth/refresh', { refreshToken });
  expect(again.status).toBe(200);
  expect(
    (await client(system.url, { token: again.body.accessToken }).post('/v1/auth/logout', { refreshToken: again.body.refreshToken })).status,
  ).toBe(204);
  await waitFor(async () => (await client(system.url, { token: again.body.accessToken }).get('/v1/me')).status === 401, {
    what: 'the session to end',
    timeoutMs: 1_000,
  });
  expect((await session.get('/v1/me')).status).toBe(200);
});
