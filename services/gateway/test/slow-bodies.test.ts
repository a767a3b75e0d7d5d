import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type StartedService, waitFor } from '@settler/harness';
import { type Connection, open } from '@settler/harness/raw';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Door, type Key, type Person, startDoor } from './setup.ts';
import { echo, readAll } from './stand-in.ts';

let door: Door;
/** One that bears a stall for a moment only. */
let impatient: StartedService;
let person: Person;
let key: Key;
let neighbour: Key;
const uploadsMax = 3;
beforeAll(async () => {
  door = await startDoor({ BODY_MEMORY_MB: '8', UPLOADS_PER_ORGANIZATION_MAX: String(uploadsMax) });
  impatient = await door.startReplica({ UPLOAD_STALL_MS: '1500', UPLOAD_BYTES_PER_SECOND_MIN: '1000' });
  person = await door.register();
  key = await door.createKey(person);
  neighbour = await door.createKey(await door.register());
});
beforeEach(() => {
  door.jobs.answer(echo);
  door.executions.answer(echo);
});
afterAll(() => door.dispose());

/** A request of which nothing has been sent but its head. */
const begin = async (path: string, headers: Record<string, string | number>, url = door.url): Promise<Connection> => {
  const connection = await open(url);
  const lines = Object.entries({ Host: 'x', 'Content-Type': 'application/json', ...headers }).map(([name, value]) => `${name}: ${value}`);
  connection.send([`POST ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  return connection;
};
/** An upload whose first bytes are at the service, with the service's side of it. */
const upload = async (credential: Key, url?: string) => {
  let side: IncomingMessage | undefined;
  door.executions.answer((request, response) => {
    side = request;
    return echo(request, response);
  });
  const connection = await begin('/v1/files?name=a.csv', { 'X-API-Key': credential.key, 'Content-Length': 100_000 }, url);
  connection.send('id,amount\n');
  return { ...connection, side: await waitFor(() => side, { what: 'the upload to arrive' }) };
};
const codeOf = ({ status, body }: { status: number; body: string }) => [status, JSON.parse(body).code];

test('bodies that come slowly, of one organization or of nobody known, take nothing away from everybody else', async () => {
  const before = door.jobs.arrived.length;
  // More than a service is given connections.
  const slow = await Promise.all(
    Array.from({ length: 600 }, async (_, index) => {
      const ours = { 'Content-Length': 100_000, 'X-API-Key': key.key };
      const [path, headers] = index % 2 === 0 ? ['/v1/jobs', ours] : ['/v1/auth/login', { 'Content-Length': 10_000 }];
      const connection = await begin(path, { ...headers, Expect: '100-continue' });
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

describe('uploads', () => {
  test('of one organization leave places for the uploads, streams and requests of all others', async () => {
    const uploads: Connection[] = [];
    for (let count = 0; count < uploadsMax; count += 1) uploads.push(await upload(key));
    const api = door.as({ apiKey: key.key });
    // Bodies above a mebibyte go there as uploads do, and so do those that do not say how long they are.
    for (const [path, headers] of [
      ['/v1/files', { 'Content-Length': 100_000 }],
      ['/v1/jobs', { 'Transfer-Encoding': 'chunked' }],
    ] as const) {
      const refused = await begin(path, { 'X-API-Key': key.key, ...headers });
      const answer = await refused.answer();
      expect([...codeOf(answer), answer.headers['retry-after']]).toEqual([429, 'rate_limited', '10']);
      refused.socket.destroy();
    }
    expect((await api.get('/v1/files')).status).toBe(200);
    expect((await api.post('/v1/jobs', { name: 'a' })).status).toBe(200);
    expect((await api.get('/v1/executions/exe_1/events')).status).toBe(200);
    const theirs = await upload(neighbour);
    theirs.send('x'.repeat(100_000 - 10));
    expect((await theirs.answer()).status).toBe(200);
    for (const { socket } of [...uploads, theirs]) socket.destroy();
    const next = await waitFor(
      async () => {
        const found = await begin('/v1/files', { 'X-API-Key': key.key, 'Transfer-Encoding': 'chunked' });
        found.send('1\r\nx\r\n0\r\n\r\n');
        return (await found.answer().finally(() => found.socket.destroy())).status === 200;
      },
      { what: 'places to be free again' },
    );
    expect(next).toBe(true);
  });

  test('that are refused take no place of those that are not', async () => {
    const [reader, spent] = [
      await door.createKey(person, { scopes: ['files:read'] }),
      await door.createKey(person, { scopes: ['files:write'], rateLimit: { limit: 1, windowMs: 86_400_000 } }),
    ];
    await door.as({ apiKey: spent.key }).post('/v1/files', undefined, { raw: 'x' });
    const refused = await Promise.all(
      [reader, spent].flatMap((credential) =>
        Array.from({ length: uploadsMax }, () => begin('/v1/files', { 'X-API-Key': credential.key, 'Content-Length': 100_000 })),
      ),
    );
    const answers = await Promise.all(refused.map(({ answer }) => answer()));
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 429, 429, 429]);
    // Their connections are still there.
    const one = await upload(key);
    for (const { socket } of [...refused, one]) socket.destroy();
  });

  test('that hardly move are answered so and end at the service, and slow ones that go on are not', async () => {
    const honest = await upload(key, impatient.url);
    const slow = await upload(key, impatient.url);
    let isOver = false;
    const trickling = (async () => {
      while (!isOver) {
        slow.send('x');
        await delay(50);
      }
    })();
    let left = 100_000 - 10;
    const going = (async () => {
      while (!isOver) {
        const piece = Math.min(500, left - 1);
        honest.send('x'.repeat(piece));
        left -= piece;
        await delay(50);
      }
      honest.send('x'.repeat(left));
    })();
    const refused = await slow.answer();
    isOver = true;
    expect(codeOf(refused)).toEqual([408, 'request_timeout']);
    await waitFor(() => slow.side.destroyed, { what: 'the service to be left alone' });
    expect(slow.side.complete).toBe(false);
    await Promise.all([trickling, going]);
    expect((await honest.answer()).status).toBe(200);
    for (const { socket } of [honest, slow]) socket.destroy();
  });

  test('end when their key is revoked, and bodies that were not all there never arrive', async () => {
    const revoked = await door.createKey(person);
    const partial = await upload(revoked);
    let answerWhole: (() => void) | undefined;
    door.executions.answer(async (request, response) => {
      await readAll(request);
      answerWhole = () => response.end('done');
    });
    const whole = await begin('/v1/files?name=b.csv', { 'X-API-Key': revoked.key, 'Transfer-Encoding': 'chunked' });
    whole.send('2\r\n{}\r\n0\r\n\r\n');
    await waitFor(() => answerWhole, { what: 'all of a body to be at the service' });
    const before = door.jobs.arrived.length;
    const held = await begin('/v1/jobs', { 'X-API-Key': revoked.key, 'Content-Length': 20, Expect: '100-continue' });
    expect((await held.answer()).status).toBe(100);
    held.send('{"name":');
    await door.revokeKey(person, revoked);
    for (const { answer } of [partial, held]) expect(codeOf(await answer())).toEqual([401, 'unauthenticated']);
    await waitFor(() => partial.side.destroyed, { what: 'the service to be left alone' });
    expect(partial.side.complete).toBe(false);
    held.send('"0123456789"');
    expect(door.jobs.arrived.length).toBe(before);
    // It was sent while it might be.
    answerWhole?.();
    expect((await whole.answer()).status).toBe(200);
    for (const { socket } of [partial, held, whole]) socket.destroy();
  });
});
