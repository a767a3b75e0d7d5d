/** What becomes of deliveries whose endpoint is paused, disabled or gone while they are on their way. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Client, client, createIsland, type Island, lockWaits, type StartedService, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d5';

let island: Island;
let service: StartedService;
let api: Client;
let database: pg.Client;
let receiver: Server;
/** Answers that the receiver owes. */
let waiting: ServerResponse[] = [];
/** What it was asked for. */
let paths: string[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    waiting.push(response);
    paths.push(request.url ?? '');
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  island = await createIsland();
  await island.provision('webhooks');
  database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
  await database.connect();
  const settings = { DELIVERY_TIMEOUT_MS: '60000', DELIVERY_POLL_MS: '50', RETRY_SCHEDULE_MS: '0,3600000', DRAIN_TIMEOUT_MS: '4000' };
  service = await startService('webhooks', island.environmentFor('webhooks', settings));
  api = client(service.url, { token: () => island.principalToken({ audience: 'webhooks', organizationId }) });
});
afterAll(async () => {
  receiver.closeAllConnections();
  receiver.close();
  await database.end();
  await island.dispose();
});
beforeEach(async () => {
  await database.query('delete from endpoints');
  receiver.closeAllConnections();
  waiting = [];
  paths = [];
});

let events = 0;
/** As fan-out would. */
const makeDue = async (endpointId: string, count: number): Promise<void> => {
  await database.query(
    `with made as (
       insert into events (id, organization_id, type, body)
       select 'evt_' || $2::int + n, $1, 'job.created', '{}' from generate_series(1, $3::int) n returning id)
     insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, next_attempt_at)
     select 'dlv ' || id, $1, $4, id, 'job.created', substr(id, 5)::int, 'pending', now() from made`,
    [organizationId, events, count, endpointId],
  );
  events += count;
};
const requests = (count: number) => waitFor(() => waiting.length === count, { timeoutMs: 10_000, what: `${count} requests` });
/** An endpoint with so many deliveries on their way to it. */
const onTheWay = async (count: number): Promise<string> => {
  const { port } = receiver.address() as AddressInfo;
  const { body } = await api.post('/v1/webhooks', { url: `http://127.0.0.1:${port}/`, events: ['*'] });
  await makeDue(body.id, count);
  await requests(count);
  return body.id;
};
const answerAll = (status: number): void => {
  for (const response of waiting.splice(0)) response.writeHead(status).end();
};
interface Shown {
  readonly status: string;
  readonly nextReason: string | null;
  readonly attempts: readonly { readonly statusCode: number | null }[];
}
const deliveries = async (id: string): Promise<readonly Shown[]> => (await api.get(`/v1/webhooks/${id}/deliveries`)).body.data;
const attempted = (id: string, count: number) =>
  waitFor(async () => (await deliveries(id)).every(({ attempts }) => attempts.length === count), {
    timeoutMs: 10_000,
    what: `${count} attempts of each on record`,
  });

test('a 410 waits for whoever changes the endpoint, and keeps nothing that it needs', async () => {
  const id = await onTheWay(1);
  const changing = new pg.Client(island.databaseConfig('webhooks', 'admin'));
  await changing.connect();
  try {
    await changing.query('begin');
    await changing.query('select from endpoints where id = $1 for update', [id]);
    answerAll(410);
    await waitFor(async () => ((await database.query(lockWaits)).rowCount ?? 0) > 0, { timeoutMs: 10_000, what: 'it to wait' });
    // As pausing does.
    await changing.query("update deliveries set next_reason = 'paused' where endpoint_id = $1", [id]);
    await changing.query('commit');
  } finally {
    await changing.end();
  }
  await attempted(id, 1);
  expect((await api.get(`/v1/webhooks/${id}`)).body.status).toBe('disabled');
});

test('what came of an attempt is on record also where PostgreSQL gives the transaction up for the sake of others', async () => {
  await database.query(`
    create sequence attempts_tried;
    create function give_up_the_first() returns trigger language plpgsql as $$
      begin
        if nextval('attempts_tried') = 1 then raise exception 'deadlock detected' using errcode = '40P01'; end if;
        return new;
      end $$;
    grant usage on sequence attempts_tried to public;
    create trigger give_up_the_first before insert on attempts for each row execute function give_up_the_first()`);
  try {
    const id = await onTheWay(1);
    answerAll(200);
    await attempted(id, 1);
    expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: [{ statusCode: 200 }] }]);
  } finally {
    await database.query('drop trigger give_up_the_first on attempts');
  }
});

const setStatus = async (id: string, status: 'active' | 'paused'): Promise<void> => {
  expect((await api.patch(`/v1/webhooks/${id}`, { status })).status).toBe(200);
};

test('what is taken while its endpoint is paused is delivered, and not sent again', async () => {
  const id = await onTheWay(2);
  await setStatus(id, 'paused');
  expect(await deliveries(id)).toMatchObject([{ status: 'held' }, { status: 'held' }]);
  answerAll(200);
  await attempted(id, 1);
  const delivered = { status: 'delivered', nextAttemptAt: null, nextReason: null, attempts: [{ statusCode: 200 }] };
  expect(await deliveries(id)).toMatchObject([delivered, delivered]);
  await setStatus(id, 'active');
  expect(await deliveries(id)).toMatchObject([delivered, delivered]);
});

test('what fails while its endpoint is paused is on record and held, and sent once it is active again', async () => {
  const id = await onTheWay(1);
  await setStatus(id, 'paused');
  answerAll(500);
  await attempted(id, 1);
  expect(await deliveries(id)).toMatchObject([{ status: 'held', nextAttemptAt: null, nextReason: 'paused' }]);
  await setStatus(id, 'active');
  await requests(1);
  answerAll(204);
  await attempted(id, 2);
  expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: [{ statusCode: 500 }, { statusCode: 204 }] }]);
});

test('what is still on its way when its endpoint is active again is waited for, and not sent beside it', async () => {
  const id = await onTheWay(1);
  await setStatus(id, 'paused');
  await setStatus(id, 'active');
  // What was due before would be on its way before this.
  await makeDue(id, 1);
  await requests(2);
  answerAll(200);
  await attempted(id, 1);
  expect(await deliveries(id)).toMatchObject([{ status: 'delivered' }, { status: 'delivered' }]);
});

test('what is taken by an endpoint that is gone for another is delivered', async () => {
  const id = await onTheWay(3);
  waiting.shift()?.writeHead(410).end();
  await waitFor(async () => (await api.get(`/v1/webhooks/${id}`)).body.status === 'disabled', { timeoutMs: 10_000, what: 'its end' });
  answerAll(200);
  await attempted(id, 1);
  expect((await deliveries(id)).map(({ status }) => status).sort()).toEqual(['delivered', 'delivered', 'held']);
});

test.each([
  ['is gone', 410, {}],
  ['has no time for a day', 503, { 'retry-after': '86400' }],
])('an address that says that it %s when its endpoint has moved says it of itself alone', async (_what, status, headers) => {
  const id = await onTheWay(1);
  const { port } = receiver.address() as AddressInfo;
  expect((await api.patch(`/v1/webhooks/${id}`, { url: `http://127.0.0.1:${port}/new` })).status).toBe(200);
  waiting.shift()?.writeHead(status, headers).end();
  await requests(1);
  expect(paths).toEqual(['/', '/new']);
  answerAll(200);
  await attempted(id, 2);
  expect(await deliveries(id)).toMatchObject([{ status: 'delivered', attempts: [{ statusCode: status }, { statusCode: 200 }] }]);
  expect((await api.get(`/v1/webhooks/${id}`)).body.status).toBe('active');
});

// Last, because nothing comes after it.
test('a stop waits for no receiver longer than it may, and each attempt is on record', async () => {
  const id = await onTheWay(2);
  await service.stop();
  expect((await service.exited).code).toBe(0);
  const { rows } = await database.query(
    'select status, attempt_count, error from deliveries d join attempts a on a.delivery_id = d.id where endpoint_id = $1',
    [id],
  );
  const tried = { status: 'pending', attempt_count: 1, error: 'stopped before there was a complete answer' };
  expect(rows).toEqual([tried, tried]);
});
