import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { open } from '@settler/harness/raw';
import fastify from 'fastify';
import { expect, test } from 'vitest';
import { closeSilent } from '../src/silent-connections.ts';

const silentMs = 800;

test('a connection on which nothing moves is closed, before its first request and within an answer, and one that moves is not', async () => {
  const app = fastify({ forceCloseConnections: true });
  closeSilent(app, silentMs);
  app.get('/stops', (_request, reply) => {
    reply.hijack();
    reply.raw.write('the first half');
  });
  let pieces = 0;
  app.get('/goes-on', (_request, reply) => {
    reply.hijack();
    const timer = setInterval(() => {
      pieces += 1;
      reply.raw.write('a piece');
    }, 20);
    reply.raw.once('close', () => clearInterval(timer));
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const [quiet, half, moving] = await Promise.all([open(url), open(url), open(url)]);
  half.socket.write('GET /stops HTTP/1.1\r\nhost: a\r\n\r\n');
  moving.socket.write('GET /goes-on HTTP/1.1\r\nhost: a\r\n\r\n');
  await Promise.all([quiet.closed, half.closed]);
  const before = pieces;
  while (pieces < before + 2 * (silentMs / 20)) await once(moving.socket, 'data');
  expect(moving.socket.destroyed).toBe(false);
  await app.close();
});
