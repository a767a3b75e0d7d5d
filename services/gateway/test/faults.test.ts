import { once } from 'node:events';
import { waitFor } from '@settler/harness';
import { open, type RawAnswer } from '@settler/harness/raw';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Door, type Key, startDoor } from './setup.ts';
import { echo, type Handler, json, type StandIn } from './stand-in.ts';

let door: Door;
let key: Key;
/** Begun with the file, because they take the ten seconds that a route may. */
let late: { readonly answer: Promise<Response>; readonly dawdlers: readonly Promise<RawAnswer>[]; readonly events: Promise<Response> };
const headers = () => ({ 'x-api-key': key.key });
beforeAll(async () => {
  door = await startDoor({ BREAKER_OPEN_MS: '600' });
  key = await door.createKey(await door.register());
  door.executions.answer(() => {});
  const dawdlerOf = async (length: number): Promise<RawAnswer> => {
    const { send, answer, socket } = await open(door.url);
    const lines = [
      'POST /v1/executions/exe_1/cancel HTTP/1.1',
      'Host: x',
      `X-API-Key: ${key.key}`,
      `Content-Length: ${length}`,
      '',
      '{"a"',
    ];
    send(lines.join('\r\n'));
    return answer().finally(() => socket.destroy());
  };
  late = {
    answer: fetch(`${door.url}/v1/executions`, { headers: headers() }),
    // Of neither the service hears before it is all there.
    dawdlers: [dawdlerOf(9), dawdlerOf(100_000)],
    events: fetch(`${door.url}/v1/executions/exe_1/events`, { headers: headers() }),
  };
  await waitFor(() => door.executions.arrived.length === 2, { what: 'all of them to arrive' });
});
beforeEach(() => {
  door.jobs.answer(echo);
  door.webhooks.answer(echo);
});
afterAll(() => door.dispose());

const reset: Handler = (request) => request.socket.resetAndDestroy();
const counted = async <Result>(standIn: StandIn, work: () => Promise<Result>): Promise<[number, Result]> => {
  const before = standIn.arrived.length;
  const result = await work();
  return [standIn.arrived.length - before, result];
};

describe('a breaker', () => {
  test('opens at half of twenty calls, answers at once, and lets one through after a while', async () => {
    const api = door.as({ apiKey: key.key });
    for (let good = 0; good < 10; good += 1) expect((await api.get('/v1/jobs')).status).toBe(200);
    door.jobs.answer(json(503, {}));
    const [bad] = await counted(door.jobs, async () => {
      for (let calls = 0; calls < 10; calls += 1) expect((await api.get('/v1/jobs')).body).toEqual({});
    });
    expect(bad).toBe(10);

    const [past, times] = await counted(door.jobs, async () => {
      const found: number[] = [];
      // Few, so that all of them come before it lets one through.
      for (let calls = 0; calls < 5; calls += 1) {
        const startedAt = performance.now();
        const answer = await api.get('/v1/jobs');
        found.push(performance.now() - startedAt);
        expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'upstream_unavailable', '1']);
      }
      return found.sort((one, other) => one - other);
    });
    expect(past).toBe(0);
    expect(times[Math.floor(times.length / 2)]).toBeLessThan(50);
    expect((await api.get('/v1/webhooks')).status).toBe(200);

    // One at a time is let through on trial, and while it fails everybody else is still told at once.
    door.jobs.answer(async (request, response) => {
      await new Promise((resolve) => setImmediate(resolve));
      return json(503, {})(request, response);
    });
    const [trials] = await counted(door.jobs, () =>
      waitFor(
        async () => (await Promise.all(Array.from({ length: 10 }, () => api.get('/v1/jobs')))).some(({ body }) => body.code === undefined),
        {
          what: 'a call to be let through',
        },
      ),
    );
    expect(trials).toBe(1);
    door.jobs.answer(echo);
    await waitFor(async () => (await api.get('/v1/jobs')).status === 200, { what: 'a good call to be let through' });
    for (let calls = 0; calls < 5; calls += 1) expect((await api.get('/v1/jobs')).status).toBe(200);
    const changes = await waitFor(
      () => {
        const told = door.gateway.logs().flatMap((line) => (line.includes('a breaker changed') ? [JSON.parse(line).state] : []));
        return told.at(-1) === 'closed' && told;
      },
      { what: 'the log to say that the breaker closed' },
    );
    expect(changes).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
    // What that meant for each request is the caller's to know: the log would have nothing else in it.
    expect(door.gateway.logs().some((line) => line.includes('could not be served') && line.includes('breaker'))).toBe(false);
  });

  test('does not open for what its clients do', async () => {
    const api = door.as({ apiKey: key.key });
    door.executions.answer((request) => request.resume());
    const head = ['POST /v1/executions/exe_1/cancel HTTP/1.1', 'Host: x', `X-API-Key: ${key.key}`].join('\r\n');
    const tooMuch = Buffer.alloc(1024 * 1024 + 1, 'x').toString();
    await Promise.all(
      Array.from({ length: 30 }, async (_, index) => {
        const before = door.executions.arrived.length;
        const connection = await open(door.url);
        if (index % 2 === 0) {
          connection.send(`${head}\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n${tooMuch}\r\n0\r\n\r\n`);
          expect((await connection.answer()).status).toBe(413);
        } else {
          connection.send(`${head}\r\nContent-Length: 0\r\n\r\n`);
          await waitFor(() => door.executions.arrived.length > before, { what: 'the request to arrive' });
        }
        connection.socket.destroy();
        await once(connection.socket, 'close');
      }),
    );
    for (const status of [400, 404, 409, 429, 500]) {
      door.executions.answer(json(status, {}));
      for (let calls = 0; calls < 5; calls += 1) expect((await api.get('/v1/executions')).status).toBe(status);
    }
    door.executions.answer(echo);
    expect((await api.get('/v1/executions')).status).toBe(200);
    door.executions.answer(() => {});
  });

  test('does not open for a service that needs another one which is away', async () => {
    const api = door.as({ apiKey: key.key });
    door.webhooks.answer(json(503, { code: 'upstream_unavailable' }, { 'x-settler-away': 'jobs' }));
    for (let calls = 0; calls < 25; calls += 1) {
      const answer = await api.get('/v1/webhooks');
      expect([answer.status, answer.headers.get('x-settler-away')]).toEqual([503, null]);
    }
    door.webhooks.answer(echo);
    expect((await api.get('/v1/webhooks')).status).toBe(200);
  });
});

describe('a request that could not be delivered', () => {
  test('is tried again where it is a read, three times at most', async () => {
    const api = door.as({ apiKey: key.key });
    let resets = 2;
    door.webhooks.answer((request, response) => {
      resets -= 1;
      return resets >= 0 ? reset(request, response) : echo(request, response);
    });
    const [tries, answer] = await counted(door.webhooks, () => api.get('/v1/webhooks'));
    expect([tries, answer.status]).toEqual([3, 200]);
    door.webhooks.answer(reset);
    const [allTries, refused] = await counted(door.webhooks, () => api.get('/v1/webhooks'));
    expect([allTries, refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
      4,
      503,
      'upstream_unavailable',
      '1',
    ]);
  });

  test('is never tried again where it is a write', async () => {
    const api = door.as({ apiKey: key.key });
    door.webhooks.answer(reset);
    for (const write of [
      () => api.post('/v1/webhooks', { a: 1 }, { headers: { 'idempotency-key': 'k' } }),
      () => api.patch('/v1/webhooks/whk_1', { a: 1 }),
      () => api.delete('/v1/webhooks/whk_1'),
    ]) {
      const [tries, { status }] = await counted(door.webhooks, write);
      expect([tries, status]).toEqual([1, 503]);
    }
  });

  test('finds the service again that was away', async () => {
    const api = door.as({ apiKey: key.key });
    await door.webhooks.stop();
    const [tries, refused] = await counted(door.webhooks, () => api.get('/v1/webhooks'));
    expect([tries, refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([0, 503, 'upstream_unavailable', '1']);
    expect(refused.body.detail).toContain('webhooks, cannot be reached');
    expect(refused.body.detail).not.toContain('127.0.0.1');
    expect((await api.post('/v1/webhooks', {})).status).toBe(503);
    await door.webhooks.start();
    expect((await api.get('/v1/webhooks')).status).toBe(200);
  });

  test('is not one that the service answered, whatever it answered', async () => {
    const api = door.as({ apiKey: key.key });
    for (const status of [500, 502, 503, 504]) {
      door.webhooks.answer(json(status, { code: 'mine' }));
      const [tries, answer] = await counted(door.webhooks, () => api.get('/v1/webhooks'));
      expect([tries, answer.status, answer.body, answer.headers.get('retry-after')]).toEqual([
        1,
        status,
        { code: 'mine' },
        status === 503 ? '1' : null,
      ]);
    }
  });
});

describe('a deadline', () => {
  test('ends a request that the service does not answer', async () => {
    for (const answer of [await late.answer, await late.events]) {
      expect([answer.status, answer.headers.get('retry-after'), answer.headers.get('content-type')]).toEqual([
        503,
        '1',
        'application/problem+json; charset=utf-8',
      ]);
      expect(await answer.json()).toMatchObject({ code: 'upstream_unavailable', status: 503 });
    }
  });

  test('that a client lets pass, by not sending its body, is told to the client', async () => {
    for (const { status, body } of await Promise.all(late.dawdlers)) {
      expect([status, JSON.parse(body)]).toEqual([
        408,
        expect.objectContaining({ code: 'request_timeout', detail: 'The body did not arrive in time.' }),
      ]);
    }
  });
});
