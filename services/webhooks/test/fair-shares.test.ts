import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { client, createIsland, type Island, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

const busy = 'org_01jqv8m0c4e7r9t2w5y8a1b3d5';
const quiet = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
const third = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';

let island: Island;
let url: string;
let database: pg.Client;
let receiver: Server;
/** The paths at which somebody waits for an answer that never comes, and those that were answered. */
const hanging: string[] = [];
let answered: string[] = [];

beforeAll(async () => {
  receiver = createServer((request, response) => {
    const path = request.url ?? '';
    if (path === '/hang/gone' && hanging.includes(path)) {
      response.writeHead(410).end();
      return;
    }
    if (!path.startsWith('/hang')) {
      answered.push(path);
      response.end();
      return;
    }
    hanging.push(path);
    response.once('close', () => hanging.splice(hanging.indexOf(path), 1));
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  island = await createIsland();
  await island.provision('webhooks');
  database = new pg.Client(island.databaseConfig('webhooks', 'admin'));
  database.on('error', () => {});
  await database.connect();
  // Longer than any of these tests waits: a slot is free only because nobody took it.
  const settings = { DELIVERY_CONCURRENCY: '50', DELIVERY_TIMEOUT_MS: '120000', DELIVERY_POLL_MS: '50', RETRY_SCHEDULE_MS: '0,3600000' };
  ({ url } = await startService('webhooks', island.environmentFor('webhooks', settings)));
});
afterAll(async () => {
  await database.query("update deliveries set status = 'failed'");
  receiver.closeAllConnections();
  receiver.close();
  await database.end();
  await island.dispose();
});
beforeEach(async () => {
  await database.query("update deliveries set status = 'failed', claim_id = null where status = 'pending'");
  receiver.closeAllConnections();
  await waitFor(() => hanging.length === 0, { what: 'nobody to wait any more' });
  answered = [];
});

const createEndpoint = async (organizationId: string, path: string): Promise<string> => {
  const api = client(url, { token: () => island.principalToken({ audience: 'webhooks', organizationId }) });
  const { port } = receiver.address() as AddressInfo;
  const { status, body } = await api.post('/v1/webhooks', { url: `http://127.0.0.1:${port}${path}`, events: ['*'] });
  expect(status).toBe(201);
  return body.id;
};

let events = 0;
/** As fan-out would write them: `count` events, due at each of the endpoints. */
const makeDue = async (organizationId: string, endpointIds: readonly string[], count: number): Promise<void> => {
  const first = events;
  events += count;
  await database.query(
    `with made as (
       insert into events (id, organization_id, type, body)
       select 'evt_' || n, $1, 'execution.completed', '{}' from generate_series($2::int, $3::int) n returning id)
     insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, next_attempt_at)
     select made.id || endpoint, $1, endpoint, made.id, 'execution.completed', substr(made.id, 5)::int, 'pending', now()
       from made, unnest($4::text[]) endpoint`,
    [organizationId, first, first + count - 1, endpointIds],
  );
};
const hangingOf = (name: string) => hanging.filter((path) => path.startsWith(`/hang/${name}`)).length;

test('an organization whose receivers hang has half of the slots, and what is due to another is sent at once', async () => {
  const endpoints = await Promise.all(Array.from({ length: 25 }, (_, at) => createEndpoint(busy, `/hang/busy/${at}`)));
  const endpoint = await createEndpoint(quiet, '/quiet');
  await makeDue(busy, endpoints, 4);
  await waitFor(() => hangingOf('busy') === 25, { what: 'half of the fifty slots to be taken' });
  await makeDue(quiet, [endpoint], 1);
  await waitFor(() => answered.includes('/quiet'), { timeoutMs: 5_000, what: 'the delivery of the other organization' });
  // Twenty-five were waiting all the time, and no slot was lent to them.
  expect(hangingOf('busy')).toBe(25);

  // Whoever comes next, and hangs as well, has half of what is left, and still not all.
  const others = await Promise.all(Array.from({ length: 25 }, (_, at) => createEndpoint(third, `/hang/third/${at}`)));
  await makeDue(third, others, 4);
  await waitFor(() => hangingOf('third') === 13, { what: 'half of the rest to be taken' });
  await makeDue(quiet, [endpoint], 12);
  await waitFor(() => answered.length === 13, { timeoutMs: 5_000, what: 'what is due to the first' });
  expect([hangingOf('busy'), hangingOf('third')]).toEqual([25, 13]);
});

test('however much is due to one endpoint, and for however long, others are found behind it', async () => {
  const slow = await createEndpoint(busy, '/hang/backlog');
  const [brisk, endpoint] = [await createEndpoint(busy, '/brisk'), await createEndpoint(quiet, '/quiet')];
  await makeDue(busy, [slow], 3_000);
  await waitFor(() => hangingOf('backlog') === 4, { what: 'the endpoint to have its four' });
  await makeDue(busy, [brisk], 1);
  await makeDue(quiet, [endpoint], 1);
  await waitFor(() => answered.length === 2, { timeoutMs: 5_000, what: 'both others to be served' });
  expect(hangingOf('backlog')).toBe(4);
});

test('however many endpoints wait for later, what is due now does not wait for them', async () => {
  const [model, endpoint] = [await createEndpoint(busy, '/later'), await createEndpoint(quiet, '/quiet')];
  await database.query(
    `with another as (
       insert into endpoints (id, organization_id, url, events, status, secret, created_at, updated_at)
       select id || n, organization_id, url, events, status, secret, created_at, updated_at from endpoints, generate_series(1, 10000) n
        where id = $1 returning id, organization_id),
     made as (insert into events (id, organization_id, type, body) values ('evt_later', $2, 'execution.completed', '{}') returning id)
     insert into deliveries (id, organization_id, endpoint_id, event_id, event_type, sequence, status, next_attempt_at)
     select 'later ' || another.id, organization_id, another.id, made.id, 'execution.completed', 1, 'pending', now() + interval '1 hour'
       from another, made`,
    [model, busy],
  );
  await makeDue(quiet, [endpoint], 100);
  await waitFor(() => answered.length === 100, { timeoutMs: 10_000, what: 'the hundred deliveries' });
});

test('what was on its way to an endpoint that is gone is held with the rest', async () => {
  const [gone, endpoint] = [await createEndpoint(third, '/hang/gone'), await createEndpoint(quiet, '/quiet')];
  await makeDue(third, [gone], 3);
  const states = async () =>
    (await database.query('select status, next_reason from deliveries where endpoint_id = $1 order by status', [gone])).rows;
  await waitFor(async () => (await states()).every(({ status }) => status === 'held'), { what: 'the endpoint to be gone' });
  receiver.closeAllConnections();
  await waitFor(() => hanging.length === 0, { what: 'the other to fail' });
  // Sent by a claim that the failure has asked for.
  await makeDue(quiet, [endpoint], 1);
  await waitFor(() => answered.length === 1, { what: 'the next delivery' });
  expect(await states()).toEqual(Array.from({ length: 3 }, () => ({ status: 'held', next_reason: 'held' })));
});
