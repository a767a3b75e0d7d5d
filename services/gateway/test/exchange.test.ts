import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@settler/harness';
import { Pool } from 'undici';
import { afterEach, expect, test } from 'vitest';
import { exchange, NeverSent } from '../src/forwarding/exchange.ts';
import { streamedBody } from '../src/forwarding/streamed-body.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const listen = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener).listen(0, '127.0.0.1');
  opened.push(() => server.close().closeAllConnections());
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};

/** A gateway with one connection to a service, which answers when it is told to. */
const start = async (timeoutMs: (path: string) => number) => {
  const waiting = new Map<string, ServerResponse>();
  const service = await listen((request, response) => {
    request.resume();
    waiting.set(request.url ?? '', response);
  });
  const pool = new Pool(service, { connections: 1, pipelining: 1 });
  opened.push(() => pool.destroy());
  const gateway = await listen((request, response) => {
    const path = request.url ?? '';
    const { head } = exchange({
      pool,
      method: request.method ?? '',
      path,
      headers: [],
      body:
        request.method === 'POST'
          ? streamedBody(request, { bytesMax: 1_000, pace: { bytesPerSecondMin: 1, stallMs: 60_000 }, ending: undefined })
          : null,
      headTimeoutMs: timeoutMs(path),
      timeoutMs: timeoutMs(path),
      response,
      isEventStream: false,
      onHead: (status) => response.writeHead(status),
    });
    head.catch((error: Error) => response.end(error.name));
  });
  const isWaiting = (path: string) => waitFor(() => waiting.get(path), { what: `${path} to arrive` });
  return { url: gateway, isWaiting };
};
const textOf = async (answer: Promise<Response>): Promise<string> => (await answer).text();

test('a request that found no connection in time was never sent, and says nothing about the service', async () => {
  const { url, isWaiting } = await start((path) => (path === '/first' ? 60_000 : 100));
  const first = fetch(`${url}/first`);
  const holder = await isWaiting('/first');
  expect(await textOf(fetch(`${url}/second`))).toBe('NeverSent');
  expect(new NeverSent('').isBlameless).toBe(true);
  holder.end('fine');
  expect(await textOf(first)).toBe('fine');
});

test('a service has its time from when it has all of a request, whatever that has waited for', async () => {
  const limitMs = 2_000;
  const { url, isWaiting } = await start((path) => (path === '/first' ? 60_000 : limitMs));
  const first = textOf(fetch(`${url}/first`));
  const holder = await isWaiting('/first');
  const queuedAtMs = performance.now();
  const queued = textOf(fetch(`${url}/queued`));
  await delay(limitMs / 2);
  holder.end('fine');
  const late = await isWaiting('/queued');
  await delay(limitMs * 1.1 - (performance.now() - queuedAtMs));
  late.end('late');
  expect([await first, await queued]).toEqual(['fine', 'late']);

  const sentAtMs = performance.now();
  let sendRest = () => {};
  const body = new ReadableStream({
    start: (stream) => {
      stream.enqueue(Buffer.from('a'));
      sendRest = () => stream.close();
    },
  });
  const slow = textOf(fetch(`${url}/slow`, { method: 'POST', body, duplex: 'half' } as RequestInit));
  const after = await isWaiting('/slow');
  await delay(limitMs / 2);
  sendRest();
  await delay(limitMs * 1.1 - (performance.now() - sentAtMs));
  after.end('after');
  expect(await slow).toBe('after');
});
