/** The readable reference costs nobody who does not read it anything. */
import { open } from '@settler/harness/raw';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Door, startDoor } from './setup.ts';

let door: Door;
beforeAll(async () => {
  door = await startDoor({ RATE_LIMIT_DEFAULT: '3' });
});
afterAll(() => door.dispose());

const script = '/docs/js/scalar.js';

test('the page, its script, and where it is are told, each with its tag and the headers of a page', async () => {
  const moved = await fetch(`${door.url}/docs`, { redirect: 'manual' });
  expect([moved.status, moved.headers.get('location')]).toEqual([301, '/docs/']);
  for (const [path, type, text] of [
    ['/docs/', 'text/html; charset=utf-8', 'js/scalar.js'],
    [script, 'application/javascript; charset=utf-8', 'scalar-app'],
  ] as const) {
    const answer = await fetch(door.url + path);
    expect([path, answer.status, answer.headers.get('content-type')]).toEqual([path, 200, type]);
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(await answer.text()).toContain(text);
    const etag = answer.headers.get('etag') ?? '';
    const again = await fetch(door.url + path, { headers: { 'if-none-match': etag } });
    expect([path, again.status, await again.text()]).toEqual([path, 304, '']);
    const head = await fetch(door.url + path, { method: 'HEAD' });
    expect([head.status, head.headers.get('etag')]).toEqual([200, etag]);
  }
  const nothing = await fetch(`${door.url}/docs/js/other.js`);
  expect([nothing.status, nothing.headers.get('content-type')]).toEqual([404, 'application/problem+json; charset=utf-8']);
});

test.each([
  ['reads nothing', (_leave: () => void) => {}],
  ['has gone', (leave: () => void) => leave()],
])('a client that asks for it a thousand times at once and %s stops nobody', { timeout: 60_000 }, async (_what, then) => {
  await (await fetch(door.url + script)).arrayBuffer();
  const connection = await open(door.url);
  connection.socket.pause();
  await new Promise<void>((resolve) => connection.socket.write(`GET ${script} HTTP/1.1\r\nhost: a\r\n\r\n`.repeat(1_000), () => resolve()));
  then(() => connection.socket.destroy());
  let slowestMs = 0;
  for (let asked = 0; asked < 20; asked += 1) {
    const startedAt = performance.now();
    expect((await fetch(`${door.url}/health/live`)).status).toBe(200);
    slowestMs = Math.max(slowestMs, performance.now() - startedAt);
  }
  connection.socket.destroy();
  // It was more than ten seconds.
  expect(slowestMs).toBeLessThan(2_000);
});
