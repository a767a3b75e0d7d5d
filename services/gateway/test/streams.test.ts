import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '@settler/harness';
import { open } from '@settler/harness/raw';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Door, type Key, type Person, startDoor } from './setup.ts';
import { echo, readAll } from './stand-in.ts';

let door: Door;
let person: Person;
let key: Key;
beforeAll(async () => {
  door = await startDoor();
  person = await door.register();
  key = await door.createKey(person);
});
beforeEach(() => door.executions.answer(echo));
afterAll(() => door.dispose());

const host = () => new URL(door.url).host;
const get = (path: string, credential = key.key) =>
  [`GET ${path} HTTP/1.1`, `Host: ${host()}`, `X-API-Key: ${credential}`, '', ''].join('\r\n');

describe('large bodies', () => {
  const mebibyte = 1024 * 1024;
  const size = 256 * mebibyte;
  const block = Buffer.alloc(mebibyte, 'x');
  const memory = async (field: 'VmRSS' | 'VmHWM'): Promise<number> => {
    const text = await readFile(`/proc/${door.gateway.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)?.[1]) * 1024;
  };
  /** Until a count that has begun to grow no longer does. */
  const untilStill = async (count: () => number, what: string): Promise<void> => {
    let last = 0;
    const isStill = () => {
      const before = last;
      last = count();
      return last > 0 && last === before;
    };
    await waitFor(isStill, { what, intervalMs: 250 });
  };
  /** Pages that were freed are given back late: what is held would be all of a body, or several times that. */
  const growthMax = size / 2;

  test('go up as they are sent, as fast as the service reads and no faster', { timeout: 60_000 }, async () => {
    const before = await memory('VmRSS');
    let read = 0;
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    door.executions.answer(async (request, response) => {
      await gate;
      for await (const part of request) read += (part as Buffer).length;
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ read }));
    });
    const headers = { 'x-api-key': key.key, 'content-type': 'application/octet-stream', 'content-length': size };
    const upload = httpRequest(`${door.url}/v1/files`, { method: 'POST', headers });
    let sent = 0;
    const pump = () => {
      while (sent < size && upload.write(block)) sent += block.length;
      if (sent < size) sent += block.length;
      else upload.end();
    };
    upload.on('drain', pump);
    pump();
    // Nobody reads: the client gets rid of what the kernel's buffers take, and then of nothing more.
    await untilStill(() => sent, 'the upload to stall');
    expect(sent).toBeLessThan(64 * mebibyte);
    go();
    const [answer] = (await once(upload, 'response')) as [IncomingMessage];
    expect([answer.statusCode, JSON.parse((await readAll(answer)).toString())]).toEqual([201, { read: size }]);
    expect(door.executions.last().headers['content-length']).toBe(String(size));
    expect((await memory('VmHWM')) - before).toBeLessThan(growthMax);
  });

  test('come down as they are read', { timeout: 60_000 }, async () => {
    const before = await memory('VmRSS');
    let written = 0;
    door.executions.answer(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/csv' });
      for (; written < size && !response.destroyed; written += block.length) if (!response.write(block)) await once(response, 'drain');
      response.end();
    });
    const download = httpRequest(`${door.url}/v1/executions/exe_1/report`, { headers: { 'x-api-key': key.key } }).end();
    const [answer] = (await once(download, 'response')) as [IncomingMessage];
    await untilStill(() => written, 'the download to stall');
    expect(written).toBeLessThan(64 * mebibyte);
    let received = 0;
    for await (const part of answer) received += (part as Buffer).length;
    expect(received).toBe(size);
    expect((await memory('VmHWM')) - before).toBeLessThan(growthMax);
  });

  test('break off when their key is revoked, so that half a file does not look like a whole one', async () => {
    const leaked = await door.createKey(person);
    door.executions.answer((_request, response) => void response.writeHead(200, { 'content-type': 'text/csv' }).write('id\n'));
    const download = httpRequest(`${door.url}/v1/executions/exe_1/export?format=csv`, { headers: { 'x-api-key': leaked.key } }).end();
    const [answer] = (await once(download, 'response')) as [IncomingMessage];
    await once(answer, 'data');
    const broken = once(answer, 'error');
    await door.revokeKey(person, leaked);
    const [error] = (await broken) as [NodeJS.ErrnoException];
    expect([error.code, answer.complete]).toEqual(['ECONNRESET', false]);
  });
});

describe('streams of events', () => {
  const path = '/v1/executions/exe_1/events';
  /** The service's side of the streams that are open. */
  let sides: ServerResponse[] = [];
  beforeEach(() => {
    sides = [];
    door.executions.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.flushHeaders();
      sides.push(response);
    });
  });

  /** Opens a stream and waits until it is open on both sides. */
  const follow = async (credentials: Record<string, string>) => {
    const before = sides.length;
    const answer = await fetch(door.url + path, { headers: credentials });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    await waitFor(() => sides.length > before, { what: 'the stream to arrive' });
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    let hasEnded = false;
    const next = async (): Promise<string | undefined> => {
      const { done, value } = await reader.read();
      hasEnded ||= done;
      return value === undefined ? undefined : Buffer.from(value).toString();
    };
    return { next, hasEnded: () => hasEnded, side: sides.at(-1) as ServerResponse, cancel: () => reader.cancel() };
  };

  test('come event by event, and the place to go on from goes to the service', async () => {
    const stream = await follow({ 'x-api-key': key.key, 'last-event-id': '7' });
    expect(door.executions.last().headers['last-event-id']).toBe('7');
    for (const event of ['id: 8\ndata: {"a":1}\n\n', 'id: 9\ndata: {"a":2}\n\n']) {
      stream.side.write(event);
      expect(await stream.next()).toBe(event);
    }
    stream.side.end();
    expect(await stream.next()).toBeUndefined();
  });

  test('end when their key is revoked, and no other stream does', async () => {
    const revoked = await door.createKey(person);
    const stream = await follow({ 'x-api-key': revoked.key });
    const other = await follow({ 'x-api-key': key.key });
    const startedAt = performance.now();
    await door.revokeKey(person, revoked);
    expect(await stream.next()).toBeUndefined();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    await waitFor(() => stream.side.destroyed, { what: 'the service to be left alone' });
    other.side.write('data: on\n\n');
    expect(await other.next()).toBe('data: on\n\n');
    await other.cancel();
    expect((await door.as({ apiKey: revoked.key }).get(path)).status).toBe(401);
  });

  test('go on when their key is renamed or loses nothing, and as long as it lives when it is rotated', async () => {
    const kept = await door.createKey(person);
    const stream = await follow({ 'x-api-key': kept.key });
    const goesOn = async (): Promise<void> => {
      // What comes behind it has arrived: so has it.
      const revoked = await door.createKey(person);
      const other = await follow({ 'x-api-key': revoked.key });
      await door.revokeKey(person, revoked);
      expect(await other.next()).toBeUndefined();
      stream.side.write('data: on\n\n');
      expect(await stream.next()).toBe('data: on\n\n');
    };
    const keys = door.calling(person);
    expect((await keys.patch(`/v1/api-keys/${kept.id}`, { name: 'renamed' })).status).toBe(200);
    await goesOn();
    const inAnHour = new Date(Date.now() + 3_600_000).toISOString();
    expect((await keys.patch(`/v1/api-keys/${kept.id}`, { expiresAt: inAnHour, scopes: ['*'], allowedIps: [] })).status).toBe(200);
    await goesOn();
    const rotatedAt = performance.now();
    expect((await keys.post(`/v1/api-keys/${kept.id}/rotate`, { graceSeconds: 4 })).status).toBe(201);
    await goesOn();
    expect(await stream.next()).toBeUndefined();
    expect(performance.now() - rotatedAt).toBeGreaterThan(3_500);
  });

  test('end when their session does', async () => {
    const other = await door.register();
    const stream = await follow({ authorization: `Bearer ${other.accessToken}` });
    await door.logOut(other);
    expect(await stream.next()).toBeUndefined();
  });

  test('end with the connection of their client, on the service’s side', async () => {
    const stream = await follow({ 'x-api-key': key.key });
    await stream.cancel();
    await waitFor(() => stream.side.destroyed, { what: 'the service to be told' });
  });

  test('are bounded for each organization, and what is refused tells so', async () => {
    const crowd = await door.register();
    const token = { authorization: `Bearer ${crowd.accessToken}` };
    const streams = await Promise.all(Array.from({ length: 200 }, () => fetch(door.url + path, { headers: token })));
    const refused = await door.as({ token: crowd.accessToken }).get(path);
    expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([429, 'rate_limited', '10']);
    const neighbour = await follow({ 'x-api-key': key.key });
    await neighbour.cancel();
    await streams[0]?.body?.cancel();
    const again = await waitFor(
      async () => {
        const answer = await fetch(door.url + path, { headers: token });
        return answer.status === 200 ? answer : undefined;
      },
      { what: 'the place that was left to be free' },
    );
    await Promise.all([...streams.slice(1), again].map((stream) => stream.body?.cancel()));
  });
});

test('a body of a few kilobytes comes to the service in one piece, when it is all there, or not at all', async () => {
  door.executions.answer(echo);
  const text = '{"name":"small"}';
  const begin = async () => {
    const connection = await open(door.url);
    const head = ['POST /v1/jobs/job_1/executions HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, 'Content-Type: application/json'];
    connection.send([...head, `Content-Length: ${Buffer.byteLength(text)}`, '', text.slice(0, 5)].join('\r\n'));
    return connection;
  };
  const before = door.executions.arrived.length;
  const leaving = await begin();
  await delay(100);
  leaving.socket.destroy();
  const staying = await begin();
  await delay(100);
  expect(door.executions.arrived.length).toBe(before);
  staying.send(text.slice(5));
  const { status, body } = await staying.answer();
  staying.socket.destroy();
  expect([status, JSON.parse(body).body]).toEqual([200, text]);
  expect(door.executions.arrived.length).toBe(before + 1);
});

test('a client that goes away takes its request with it', async () => {
  let isCut = false;
  door.executions.answer((_request, response) => {
    response.once('close', () => {
      isCut = true;
    });
  });
  for (const text of [
    get('/v1/executions/exe_1/report'),
    ['POST /v1/files HTTP/1.1', `Host: ${host()}`, `X-API-Key: ${key.key}`, 'Content-Length: 100000', '', 'part of it'].join('\r\n'),
    // The second of two: Node tells only the first that the connection is gone.
    get('/v1/executions/exe_1/report') + get('/v1/executions/exe_2/report'),
  ]) {
    isCut = false;
    const before = door.executions.arrived.length;
    const connection = await open(door.url);
    connection.send(text);
    await waitFor(() => door.executions.arrived.length > before, { what: 'the request to arrive' });
    if (text.includes('exe_2')) await waitFor(() => door.executions.last().url.includes('exe_2'), { what: 'the second one' });
    isCut = false;
    connection.socket.destroy();
    await waitFor(() => isCut, { what: 'the request to the service to be cut', timeoutMs: 3_000 });
  }
  await waitFor(() => door.gateway.logs().some((line) => line.includes('"status":499')), { what: 'its line in the log' });
});
