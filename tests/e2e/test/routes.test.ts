/** Every route: rightly asked, and in each way that it can be asked wrongly. */
import { request } from 'node:http';

import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import type { Scope } from '@settler/contracts/scopes';
import { statefulServices } from '@settler/contracts/services';
import { type Answer, type Client, createIsland, type Island, type RequestOptions, type System, startSystem } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, cases, type Wanted } from '../src/cases.ts';
import { createParty, type Party } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: unknown;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

let island: Island;
let system: System;
let receiver: Receiver;
let ours: Party;
let theirs: Party;
/** As the services themselves describe what they serve. */
let operations: ReadonlyMap<string, Operation>;
/** Statuses that each route was brought to. */
const provoked = new Map<string, Set<number>>();

beforeAll(async () => {
  island = await createIsland();
  [system, receiver] = await Promise.all([startSystem(island), startReceiver()]);
  [ours, theirs] = await Promise.all([createParty(system.url, 'ours', receiver.url), createParty(system.url, 'theirs', receiver.url)]);
  const documents = await Promise.all(
    statefulServices.map(
      async (service) =>
        (await fetch(`${island.serviceUrl(service)}/openapi.json`)).json() as Promise<{ paths: Record<string, Record<string, Operation>> }>,
    ),
  );
  const found = documents.flatMap(({ paths }) => Object.values(paths).flatMap((methods) => Object.values(methods)));
  operations = new Map(found.map((operation) => [operation.operationId, operation]));
});
afterAll(async () => {
  await receiver.close();
  await island.dispose();
});

const clientOf = (party: Party, { as }: Wanted): Client => (as === undefined ? party.key : party[as]);

const send = async (name: string, method: Route['method'], who: Client, wanted: Wanted, options: RequestOptions = {}): Promise<Answer> => {
  const { path, body, raw, contentType } = wanted;
  const headers = { ...(contentType === undefined ? {} : { 'content-type': contentType }), ...options.headers };
  const whole = { ...(raw === undefined ? {} : { raw }), ...options, headers };
  const verb = {
    GET: () => who.get(path, whole),
    POST: () => who.post(path, body, whole),
    PATCH: () => who.patch(path, body, whole),
    DELETE: () => who.delete(path, whole),
  }[method];
  const answer = await verb();
  const seen = provoked.get(name) ?? new Set();
  provoked.set(name, seen.add(answer.status));
  if (answer.status >= 400) expectProblem(answer);
  return answer;
};

const expectProblem = ({ status, headers, body }: Answer): void => {
  expect(status).toBeLessThan(500);
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    status,
    code: expect.any(String),
    title: expect.any(String),
    detail: expect.any(String),
    traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });
};

const without = ({ traceId: _trace, ...problem }: Record<string, unknown>) => problem;
const pathsOf = ({ body }: Answer): string[] => body.errors?.map(({ path }: { path: string }) => path) ?? [];

/** Ids that nobody has, in the places of those that are there. */
const unknown = (path: string): string => path.replaceAll(/([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}/g, '$1_01jqv8m0c4e7r9t2w5y8a1b3d6');
const bytesSent = 2 ** 21;

/** A request whose body is announced and never sent. */
const announce = (url: string, method: string, path: string, length: number) =>
  new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    const asked = request(url + path, {
      method,
      headers: { 'x-api-key': ours.apiKey, 'content-type': 'application/json', 'content-length': length },
    });
    asked.once('error', reject);
    asked.once('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () => {
        asked.destroy();
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString()) });
      });
    });
    asked.flushHeaders();
  });

const hasId = ({ path }: Route): boolean => path.includes('{id}');
const takesBody = (name: string): boolean => operations.get(name)?.requestBody !== undefined;
const isList = (name: string): boolean => operations.get(name)?.parameters?.some((parameter) => parameter.name === 'cursor') === true;

describe.each(Object.entries(cases) as [RouteName, Case][])('%s', (name, { status, ask, otherBody, refusals = [] }) => {
  const route: Route = routes[name];
  const { method } = route;

  test('rightly asked', async () => {
    const wanted = await ask(ours);
    const answer = await send(name, method, clientOf(ours, wanted), wanted);
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(answer.headers.get('x-request-id')).toMatch(/.{8}/);
    const isSingle = method === 'GET' && hasId(route) && !isList(name) && route.stream === 'none';
    if (!isSingle) return;
    const tag = answer.headers.get('etag');
    expect(tag).toMatch(/^".+"$/);
    expect((await send(name, method, clientOf(ours, wanted), wanted, { headers: { 'if-none-match': tag ?? '' } })).status).toBe(304);
  });

  if (route.access !== 'public')
    test('without credentials', async () => {
      const answer = await send(name, method, ours.anonymous, await ask(ours));
      expect(answer).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    });

  if (route.access.includes(':'))
    test('with a key that may do everything else', async () => {
      const wanted = await ask(ours);
      const limited = await ours.without(route.access as Scope);
      expect(await send(name, method, limited, wanted)).toMatchObject({
        status: 403,
        body: { code: 'forbidden', requiredScope: route.access },
      });
    });

  if (route.access === 'user')
    test('with a key, where only users may', async () => {
      expect(await send(name, method, ours.key, await ask(ours))).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    });

  if (hasId(route))
    test("with another organization's id, which looks like one that nobody has", async () => {
      const foreign = await ask(theirs);
      const answer = await send(name, method, ours.key, foreign);
      expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
      const nobodys = await send(name, method, ours.key, { ...foreign, path: unknown(foreign.path) });
      expect(without(nobodys.body)).toEqual(without(answer.body));
      expect(
        (await send(name, method, ours.key, { ...foreign, path: foreign.path.replace(/[a-z]{3}_[0-9a-hjkmnp-tv-z]{26}/, 'nonsense') }))
          .status,
      ).toBe(404);
    });

  test('with a parameter that it does not know', async () => {
    const wanted = await ask(ours);
    const path = `${wanted.path}${wanted.path.includes('?') ? '&' : '?'}nonsense=1`;
    const answer = await send(name, method, clientOf(ours, wanted), { ...wanted, path });
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(pathsOf(answer)).toContain('nonsense');
  });

  test('as a list: sane limits, and cursors of its own', async () => {
    if (!isList(name)) return;
    const wanted = await ask(ours);
    const who = clientOf(ours, wanted);
    for (const [parameter, value] of [
      ['limit', '0'],
      ['limit', '201'],
      ['limit', 'many'],
      ['cursor', 'made-up.cursor'],
    ] as const) {
      const answer = await send(name, method, who, { ...wanted, path: `${wanted.path}?${parameter}=${value}` });
      expect(answer, `${parameter}=${value}`).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
      expect(pathsOf(answer)).toContain(parameter);
    }
    const first = await send(name, method, who, { ...wanted, path: `${wanted.path}?limit=1` });
    if (first.body.nextCursor === null) return;
    const next = await send(name, method, who, { ...wanted, path: `${wanted.path}?limit=1&cursor=${first.body.nextCursor}` });
    expect(next.status).toBe(200);
    expect(next.body.data[0]).not.toEqual(first.body.data[0]);
    const bent = `${first.body.nextCursor.slice(0, -2)}AA`;
    expect((await send(name, method, who, { ...wanted, path: `${wanted.path}?limit=1&cursor=${bent}` })).status).toBe(400);
  });

  test('with a body that is none', async () => {
    if (!takesBody(name)) return;
    const wanted = await ask(ours);
    const who = clientOf(ours, wanted);
    const raw = (text: string, contentType: string) => send(name, method, who, { path: wanted.path, raw: text, contentType });
    expect(await raw('{"name":', 'application/json')).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    expect(await raw('[]', 'application/json')).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(await raw('{"a":{"__proto__":1}}', 'application/json')).toMatchObject({ status: 400, body: { code: 'malformed_request' } });
    expect(await raw(`${'[['.repeat(40)}${']]'.repeat(40)}`, 'application/json')).toMatchObject({
      status: 400,
      body: { code: 'malformed_request' },
    });
    expect(await raw('name=one', 'application/x-www-form-urlencoded')).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
    expect((await send(name, method, who, { path: wanted.path })).status).toBe(400);
    const more = await send(name, method, who, { ...wanted, body: { ...(wanted.body as object), nonsense: 1 } });
    expect(more).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(pathsOf(more)).toContain('nonsense');
  });

  test('with a body that is too large', async () => {
    if (!takesBody(name) && route.stream !== 'upload') return;
    const wanted = await ask(ours);
    if (route.bodyBytesMax > bytesSent) {
      // Said to be larger than it may be: nobody has to send it to be told.
      const answer = await announce(system.url, method, wanted.path, route.bodyBytesMax + 1);
      expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
      provoked.get(name)?.add(answer.status);
      return;
    }
    const raw = JSON.stringify({ name: 'x'.repeat(route.bodyBytesMax) });
    const answer = await send(name, method, clientOf(ours, wanted), { path: wanted.path, raw, contentType: 'application/json' });
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large' } });
  });

  if (route.idempotent)
    test('twice under one Idempotency-Key', async () => {
      const wanted = await ask(ours);
      const who = clientOf(ours, wanted);
      const under = (key: string, body = wanted.body) =>
        send(name, method, who, { ...wanted, body }, { headers: { 'idempotency-key': key } });
      expect(await under('x'.repeat(256))).toMatchObject({ status: 400 });
      const first = await under('the-same');
      expect(first.status).toBe(status);
      const again = await under('the-same');
      expect(again.status).toBe(status);
      expect(again.headers.get('idempotent-replayed')).toBe('true');
      const secret = route.secretFields;
      if (first.body !== undefined)
        expect(again.body).toEqual(Object.fromEntries(Object.entries(first.body).filter(([field]) => !secret.includes(field))));
      if (wanted.raw !== undefined) {
        const other = { ...wanted, raw: `${wanted.raw}2\n` };
        expect(await send(name, method, who, other, { headers: { 'idempotency-key': 'the-same' } })).toMatchObject({ status: 422 });
      }
      if (otherBody === undefined) return;
      expect(await under('the-same', otherBody(wanted.body as object))).toMatchObject({
        status: 422,
        body: { code: 'idempotency_key_reused' },
      });
    });

  if (method === 'PATCH' || method === 'DELETE')
    test('with the tag of a state that is gone', async () => {
      const wanted = await ask(ours);
      const stale = { headers: { 'if-match': '"999999"' } };
      expect(await send(name, method, ours.key, wanted, stale)).toMatchObject({ status: 412, body: { code: 'version_conflict' } });
      expect(await send(name, method, ours.key, wanted, { headers: { 'if-match': 'nonsense' } })).toMatchObject({ status: 400 });
    });

  test('with a method that it does not have', async () => {
    const { path } = await ask(ours);
    const answer = await ours.key.put(path, {});
    expect(answer).toMatchObject({ status: 405, body: { code: 'method_not_allowed' } });
    expect(answer.headers.get('allow')?.split(', ')).toContain(method);
  });

  for (const refusal of refusals) {
    test(`with ${refusal.what}`, async () => {
      const wanted = await refusal.ask(ours);
      expect(await send(name, method, clientOf(ours, wanted), wanted)).toMatchObject({
        status: refusal.status,
        body: { code: refusal.code },
      });
    });
  }
});

/** Of every route alike, and provoked where it arises: see the tests of the chassis, for idempotency, and of the gateway. */
const everywhere = new Set(['409', '429', '500', '503']);

test('every route that is served has its cases, and each status that it may answer with was provoked', () => {
  expect([...operations.keys()].sort()).toEqual(Object.keys(cases).sort());
  const missing = [...operations].flatMap(([name, { responses }]) =>
    Object.keys(responses)
      .filter((status) => !everywhere.has(status) && provoked.get(name)?.has(Number(status)) !== true)
      .map((status) => `${name} ${status}`),
  );
  expect(missing).toEqual([]);
});
