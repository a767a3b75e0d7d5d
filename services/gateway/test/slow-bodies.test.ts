import { waitFor } from '@settler/harness';
import { type Connection, open } from '@settler/harness/raw';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Door, type Key, startDoor } from './setup.ts';
import { echo } from './stand-in.ts';

let door: Door;
let key: Key;
let neighbour: Key;
beforeAll(async () => {
  door = await startDoor({ BODY_MEMORY_MB: '8' });
  key = await door.createKey(await door.register());
  neighbour = await door.createKey(await door.register());
});
beforeEach(() => {
  door.jobs.answer(echo);
  door.executions.answer(echo);
});
afterAll(() => door.dispose());

/** A request of which nothing has been sent but its head. */
const begin = async (path: string, headers: Record<string, string | number>): Promise<Connection> => {
  const connection = await open(door.url);
  const lines = Object.entries({ Host: 'x', 'Content-Type': 'application/json', ...headers }).map(([name, value]) => `${name}: ${value}`);
  connection.send([`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  return connection;
};
const codeOf = ({ status, body }: { status: number; body: string }) => [status, JSON.parse(body).code];

test('bodies that come slowly, of one organization or of nobody known, take nothing away from everybody else', async () => {
  const before = door.jobs.arrived.length;
  // More than a service is given connections.
  const slow = await Promise.all(
    Array.from({ length: 600 }, async (_, index) => {
      const [path, credential] = index % 2 === 0 ? ['/v1/jobs', { 'X-API-Key': key.key }] : ['/v1/auth/login', {}];
      const connection = await begin(path, { 'Content-Length': 100_000, Expect: '100-continue', ...credential });
      expect((await connection.answer()).status).toBe(100);
      connection.send('{"name":"');
      return connection;
    }),
  );
  const api = door.as({ apiKey: neighbour.key });
  for (let calls = 0; calls < 25; calls += 1) {
    expect((await api.get('/v1/jobs')).status).toBe(200);
    expect((await api.get('/v1/me')).status).toBe(200);
  }
  expect((await api.post('/v1/jobs', { name: 'a' })).status).toBe(200);
  expect(door.jobs.arrived.length).toBe(before + 26);
  for (const { socket } of slow) socket.destroy();
  expect(door.gateway.logs().some((line) => line.includes('a breaker changed'))).toBe(false);
});

test('what an organization holds of bodies at once is bounded, and leaves room for the others', async () => {
  const length = 500_000;
  const bodies = await Promise.all(
    Array.from({ length: 3 }, () => begin('/v1/webhooks', { 'X-API-Key': key.key, 'Content-Length': length })),
  );
  for (const { send } of bodies) send('x'.repeat(length - 1));
  const answers = bodies.map(({ answer }) => answer());
  expect(codeOf(await Promise.race(answers))).toEqual([429, 'rate_limited']);
  const raw = 'x'.repeat(length);
  expect((await door.as({ apiKey: neighbour.key }).post('/v1/webhooks', undefined, { raw })).status).toBe(200);
  for (const { send } of bodies) send('x');
  expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([429, 200]));
  for (const { socket } of bodies) socket.destroy();
  await waitFor(async () => (await door.as({ apiKey: key.key }).post('/v1/webhooks', undefined, { raw })).status === 200, {
    what: 'room to be there again',
  });
});

test('a body is the same to the service, however many pieces it came in', async () => {
  const text = JSON.stringify({ letters: 'abcdefghij'.repeat(3_000) });
  const chunks = [...text].map((letter) => `1\r\n${letter}\r\n`).join('');
  const chunked = await begin('/v1/webhooks', { 'X-API-Key': key.key, 'Transfer-Encoding': 'chunked' });
  chunked.send(`${chunks}0\r\n\r\n`);
  const { status, body } = await chunked.answer();
  chunked.socket.destroy();
  expect([status, JSON.parse(body).body === text]).toEqual([200, true]);
  expect(door.webhooks.last().headers).toMatchObject({ 'content-length': String(text.length) });
});
