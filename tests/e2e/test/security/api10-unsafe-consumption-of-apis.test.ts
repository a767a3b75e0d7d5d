/** API10:2023. Receivers of webhooks are the strangers that Settler reads answers of. Redirects and silence are in services/webhooks/test. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { must, newJob } from '../../src/party.ts';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;
const servers: (Server | SocketServer)[] = [];

const listen = async (server: Server | SocketServer): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
};
const answering = (listener: RequestListener): Promise<string> =>
  listen(
    createServer((request, response) => {
      response.on('error', () => {});
      request.resume().on('end', () => listener(request, response));
    }),
  );
/** Bytes as they are, over and over until the other side has had enough of them. */
const saying = (first: string, again: string): Promise<string> =>
  listen(
    createSocketServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        socket.write(first);
        const more = () => {
          for (let goesOn = again !== ''; goesOn && !socket.destroyed; ) goesOn = socket.write(again);
        };
        socket.on('drain', more);
        more();
      });
    }),
  );

beforeAll(async () => {
  world = await attack();
});
afterAll(() =>
  Promise.all(
    servers.map((server) => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    }),
  ),
);

const kept = 16 * 1024;
const markup = '<script>alert(document.domain)</script>\u0000"\'\u2028';

test('whatever a receiver answers, its delivery ends, a little of it is kept as data, and others get theirs', async () => {
  const { key } = world.ours;
  const piece = 'x'.repeat(64 * 1024);
  const urls = {
    endless: await saying('HTTP/1.1 200 OK\r\n\r\n', piece),
    chunked: await saying('HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n', `10000\r\n${'x'.repeat(65_536)}\r\n`),
    megabytes: await answering((_request, response) => response.writeHead(200).end('y'.repeat(8 * 1024 * 1024))),
    'a bomb': await answering((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(16 * 1024 * 1024))),
    ),
    'endless headers': await saying('HTTP/1.1 200 OK\r\n', `X-A: ${'b'.repeat(1_000)}\r\n`),
    'no HTTP': await saying('SSH-2.0-OpenSSH_9.6\r\n', ''),
    'endless hints': await saying('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'),
    markup: await answering((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(markup)),
    'an answer too many': await saying('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n', ''),
    good: await answering((_request, response) => response.writeHead(204).end()),
  };
  const endpoints = await Promise.all(
    Object.entries(urls).map(async ([name, url]) => {
      const { id } = await must(201, key.post('/v1/webhooks', { url, events: ['job.created'] }));
      return [name, id as string] as const;
    }),
  );
  await newJob(key);
  const attempts = await Promise.all(
    endpoints.map(async ([name, id]) => {
      const deliveryId = await waitFor(
        async () => {
          const [first] = (await must(200, key.get(`/v1/webhooks/${id}/deliveries`))).data;
          return first?.attempts.length > 0 && (first.id as string);
        },
        { what: `an attempt at ${name}`, timeoutMs: 30_000 },
      );
      // Lists have less of it.
      const answer = await key.get(`/v1/deliveries/${deliveryId}`);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
      return [name, answer.body.attempts[0]] as const;
    }),
  );
  const of = Object.fromEntries(attempts);
  expect(of['endless']).toMatchObject({ statusCode: 200, responseBody: 'x'.repeat(kept) });
  expect(of['chunked']).toMatchObject({ statusCode: 500, responseBody: 'x'.repeat(kept) });
  expect(of['megabytes']).toMatchObject({ statusCode: 200, responseBody: 'y'.repeat(kept) });
  expect(of['a bomb'].responseBody.length).toBeLessThanOrEqual(kept);
  expect(of['endless headers']).toMatchObject({ statusCode: null, error: expect.any(String) });
  expect(of['no HTTP']).toMatchObject({ statusCode: null, error: expect.any(String) });
  expect(of['endless hints']).toMatchObject({ statusCode: null, error: expect.any(String) });
  expect(of['markup']).toMatchObject({ statusCode: 200, responseBody: markup.replace('\u0000', '\ufffd') });
  expect(of['an answer too many']).toMatchObject({ statusCode: 200, responseBody: 'ok' });
  expect(of['good']).toMatchObject({ statusCode: 204 });
  for (const [, id] of endpoints) await key.delete(`/v1/webhooks/${id}`);
});
