/** What becomes of requests that a client sends without waiting for answers. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@settler/harness';
import { type Connection, open } from '@settler/harness/raw';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttp } from '../src/http.ts';
import { createLogger } from '../src/logger.ts';

let app: FastifyInstance;
let url: string;
let connection: Connection;
let begun: string[] = [];
let running = 0;
let runningMost = 0;
/** How long an answer takes. */
let work: () => Promise<unknown> = async () => {};

beforeEach(async () => {
  [begun, running, runningMost, work] = [[], 0, 0, () => delay(1)];
  app = await createHttp({ service: 'gateway', logger: createLogger('test', 'silent') });
  app.get('/:name', async ({ url: path }) => {
    begun.push(path);
    running += 1;
    runningMost = Math.max(runningMost, running);
    await work();
    running -= 1;
    return { path };
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
  connection = await open(url);
});
afterEach(async () => {
  connection.socket.destroy();
  await app.close();
});

const pathsOf = (count: number) => Array.from({ length: count }, (_, index) => `/${index}`);
const pipeline = (count: number) =>
  pathsOf(count)
    .map((path) => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
    .join('');

describe('requests in the pipeline of one connection', () => {
  test('are all answered, in their order, and few of them are worked on at once', async () => {
    connection.send(pipeline(200));
    for (const path of pathsOf(200)) {
      const { status, headers, body } = await connection.answer();
      expect([status, headers['connection'], JSON.parse(body)]).toEqual([200, 'keep-alive', { path }]);
    }
    expect(runningMost).toBe(16);
    // And those that come then.
    connection.send(pipeline(1));
    expect((await connection.answer()).status).toBe(200);
  });

  test('let others in between, also where each is answered at once', async () => {
    work = async () => {};
    const other = await open(url);
    connection.send(pipeline(250));
    await waitFor(() => begun.length > 0, { what: 'the first of them', intervalMs: 1 });
    other.send('GET /other HTTP/1.1\r\nhost: a\r\n\r\n');
    await other.answer();
    other.socket.destroy();
    expect(begun.indexOf('/other')).toBeLessThan(250);
    await waitFor(() => begun.length === 251, { what: 'all of them' });
  });

  test('are not taken beyond a number of them: what was is answered, and the connection ends', async () => {
    connection.send(pipeline(1_000));
    const answers = [];
    for (let count = 0; count < 256; count += 1) answers.push(await connection.answer());
    expect(answers.map(({ body }) => JSON.parse(body).path)).toEqual(pathsOf(256));
    expect(answers.map(({ headers }) => headers['connection']).indexOf('close')).toBe(255);
    await connection.closed;
    expect([connection.rest(), begun.length]).toEqual(['', 256]);
  });

  test('are not begun for a client that has gone', async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    work = () => gate;
    let isClosed = false;
    app.server.once('connection', (socket) => {
      socket.once('close', () => {
        isClosed = true;
      });
    });
    const leaving = await open(url);
    leaving.send(pipeline(200));
    await waitFor(() => running === 16, { what: 'those that are worked on at once' });
    leaving.socket.destroy();
    await waitFor(() => isClosed, { what: 'it to be gone' });
    go();
    await waitFor(() => running === 0, { what: 'what was begun to be over' });
    connection.send(pipeline(1));
    await connection.answer();
    expect(begun).toHaveLength(17);
  });
});
