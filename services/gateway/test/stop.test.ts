import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { type StartedService, waitFor } from '@settler/harness';
import { open } from '@settler/harness/raw';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Door, type Key, startDoor } from './setup.ts';
import { echo, readAll } from './stand-in.ts';

let door: Door;
let key: Key;
beforeAll(async () => {
  door = await startDoor({ UNREADY_MS: '800' });
  key = await door.createKey(await door.register());
});
afterAll(() => door.dispose());

const isReady = async ({ url }: StartedService): Promise<boolean> =>
  fetch(`${url}/health/ready`).then(
    (answer) => answer.ok,
    () => false,
  );

test('with a replica beside it no request fails while it stops', async () => {
  door.jobs.answer(echo);
  const gateway = await door.startReplica();
  const replicas = [gateway, door.gateway];
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  let ready = [...replicas];
  let isOver = false;
  const counts = { sent: 0, failed: [] as string[] };

  // What a load balancer does: looks who is ready, and sends in turn to those who are.
  const looking = (async () => {
    while (!isOver) {
      const states = await Promise.all(replicas.map(isReady));
      ready = replicas.filter((_, index) => states[index]);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  const send = async (): Promise<void> => {
    const { url } = ready[counts.sent % ready.length] as StartedService;
    counts.sent += 1;
    const method = counts.sent % 3 === 0 ? 'POST' : 'GET';
    try {
      const sending = httpRequest(`${url}/v1/jobs?n=${counts.sent}`, { method, agent, headers: { 'x-api-key': key.key } });
      sending.end(method === 'POST' ? '{}' : undefined);
      const [answer] = (await once(sending, 'response')) as [IncomingMessage];
      await readAll(answer);
      if (answer.statusCode !== 200) counts.failed.push(`${method} ${answer.statusCode}`);
    } catch (error) {
      counts.failed.push(`${method} ${String(error)}`);
    }
  };
  const load = Array.from({ length: 4 }, async () => {
    while (!isOver) {
      await send();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await waitFor(() => counts.sent > 50, { what: 'the load to run' });
  gateway.kill('SIGTERM');
  expect(await gateway.exited).toMatchObject({ code: 0 });
  const sentByThen = counts.sent;
  await waitFor(() => counts.sent > sentByThen + 50, { what: 'the other replica to serve' });
  isOver = true;
  await Promise.all([...load, looking]);
  agent.destroy();
  expect(counts.failed).toEqual([]);
});

test('what is in flight is finished, streams end, and nobody who only holds a connection open delays the end', async () => {
  const { gateway } = door;
  let finish = () => {};
  door.jobs.answer((request, response) => {
    finish = () => echo(request, response);
  });
  const idle = await open(gateway.url);
  const half = await open(gateway.url);
  half.send('GET /v1/jobs HTTP/1.1\r\nHost:');
  const kept = await open(gateway.url);
  kept.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
  expect((await kept.answer()).headers['connection']).toBe('keep-alive');
  const arrivedBefore = door.jobs.arrived.length;
  const running = fetch(`${gateway.url}/v1/jobs`, { method: 'POST', headers: { 'x-api-key': key.key }, body: '{"slow":true}' });
  await waitFor(() => door.jobs.arrived.length > arrivedBefore, { what: 'the request to arrive' });

  door.executions.answer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
  });
  const stream = await fetch(`${gateway.url}/v1/executions/exe_1/events`, { headers: { 'x-api-key': key.key } });
  expect(stream.status).toBe(200);

  const stoppedAt = performance.now();
  gateway.kill('SIGTERM');
  await waitFor(async () => !(await isReady(gateway)), { what: 'it to say that it is not ready', intervalMs: 5 });
  // It still serves, and tells whoever comes to go elsewhere next time.
  kept.send('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
  expect(await kept.answer()).toMatchObject({ status: 200, headers: { connection: 'close' } });
  await kept.closed;
  const refused = await fetch(`${gateway.url}/health/ready`);
  expect([refused.status, refused.headers.get('connection'), await refused.json()]).toEqual([503, 'close', { status: 'unavailable' }]);
  await waitFor(
    () =>
      fetch(`${gateway.url}/health/live`).then(
        () => false,
        () => true,
      ),
    { what: 'it to take no more connections' },
  );
  expect(gateway.logs().some((line) => line.includes('stopping took too long'))).toBe(false);
  // As if it were complete: its client goes on elsewhere.
  expect(await stream.text()).toBe('');
  finish();
  const answer = await running;
  expect([answer.status, await answer.json()]).toEqual([200, { method: 'POST', url: '/v1/jobs', body: '{"slow":true}' }]);
  expect(await gateway.exited).toMatchObject({ code: 0, signal: null });
  expect(performance.now() - stoppedAt).toBeLessThan(8_000);
  await Promise.all([idle.closed, half.closed]);
});
