/**
 * API4:2023. Limits of requests, streams, pages, bodies and waiting clients are in services/gateway/test and in routes.test.ts. Here is
 * what keeps to all of these and still costs far more than it looks like.
 */
import { readFileSync } from 'node:fs';
import type { Service } from '@settler/contracts/services';
import { type Client, type System, sharedSystem } from '@settler/harness';
import { open } from '@settler/harness/raw';
import { beforeAll, describe, expect, test } from 'vitest';
import { job, newJob } from '../../src/party.ts';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;
let key: Client;
let services: System['services'];

beforeAll(async () => {
  world = await attack();
  ({ key } = world.ours);
  ({ services } = (await sharedSystem()).system);
});

const mebibyte = 1024 * 1024;
const ticksPerSecond = 100;
/** What a service has worked so far, in seconds of a processor: other than time that passes, it is the same on a busy machine. */
const workOf = (service: Service): number => {
  const [, fields = ''] = readFileSync(`/proc/${services[service].pid}/stat`, 'utf8').split(') ');
  const [user, system] = fields.split(' ').slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / ticksPerSecond;
};

/** The answer to a body, and what it cost its service. */
const sendAndLook = async (service: Service, path: string, raw: string) => {
  const before = workOf(service);
  const answer = await key.post(path, undefined, { raw, headers: { 'content-type': 'application/json' }, timeoutMs: 60_000 });
  return { ...answer, work: workOf(service) - before };
};

/** Each of these took several times as long, on the one thread that answers everybody; a busy core counts up to twice what an idle one does. */
const workMax = 3.5;

describe('a body of 4 MiB', () => {
  const size = 4 * mebibyte;
  const filled = (before: string, piece: string, after: string) => before + piece.repeat(Math.floor(size / piece.length)) + after;

  test.each([
    ['of nothing but lists in lists', '['.repeat(size / 2) + ']'.repeat(size / 2), 400, 'malformed_request'],
    ['of empty objects', filled('{"tags":[', '{},', '0]}'), 413, 'payload_too_large'],
    ['of numbers', filled('{"tags":[', '1,', '0]}'), 413, 'payload_too_large'],
  ] as const)('%s keeps nobody waiting', async (_what, raw, status, code) => {
    const answer = await sendAndLook('jobs', '/v1/jobs', raw);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.work).toBeLessThan(workMax);
  });

  test('of records of which none is one is refused by the first hundred', async () => {
    const raw = JSON.stringify({ ...job, target: { adapter: 'records', config: { records: Array<number>(200_000).fill(1) } } });
    const answer = await sendAndLook('jobs', '/v1/jobs', raw);
    expect(answer.body).toMatchObject({ code: 'validation_failed' });
    expect(answer.body.errors).toHaveLength(100);
    expect(answer.body.errors[0].path).toBe('target.config.records[0]');
    expect(answer.work).toBeLessThan(workMax);
  });
});

test('a list of half a million wrong values is refused before each of them is looked at', async () => {
  for (const [service, path, field] of [
    ['executions', '/v1/exceptions/bulk-resolve', 'ids'],
    ['webhooks', '/v1/webhooks', 'events'],
    ['identity', '/v1/api-keys', 'scopes'],
  ] as const) {
    const raw = `{"${field}":[${'1,'.repeat(500_000)}1]}`;
    const answer = await sendAndLook(service, path, raw);
    expect(answer).toMatchObject({ status: 413, body: { code: 'payload_too_large', detail: expect.stringContaining('50000') } });
    expect(answer.work).toBeLessThan(workMax);
  }
});

describe('a rule', () => {
  const withPattern = (pattern: string) => ({ ...job, rules: { matching: [{ field: 'reference', type: 'regex', pattern }] } });
  const tooLong = 'must not be longer than 2000 characters with its repetitions written out';

  test.each([
    ['repeats a class of letters', `(${'\\pL{1000}'.repeat(50)})`],
    ['repeats repetitions', `${'(([a-z]{0,30}){0,30})'.repeat(20)}`],
    ['repeats a long group', `(${'ab'.repeat(200)}){1000}`],
    ['hides a repetition behind flags', `(a){900}${'(?i){9}'.repeat(9)}`],
  ])('with a pattern that %s is refused at its place', async (_what, pattern) => {
    const { status, body } = await key.post('/v1/jobs', withPattern(pattern));
    expect([status, body.errors]).toEqual([400, [{ path: 'rules.matching[0].pattern', message: tooLong }]]);
  });

  test('with thousands of patterns is refused before any of them is compiled', async () => {
    const alternative = (number: number) => ({ field: 'reference', type: 'regex', pattern: `(a{900}${number})` });
    const matching = Array.from({ length: 50 }, (_, outer) => ({
      type: 'oneOf',
      conditions: Array.from({ length: 10 }, (_item, inner) => alternative(outer * 10 + inner)),
    }));
    const answer = await sendAndLook('jobs', '/v1/jobs', JSON.stringify({ ...job, rules: { matching } }));
    expect(answer.body.errors).toEqual([{ path: 'rules', message: 'must not have more than 100 patterns' }]);
    expect(answer.work).toBeLessThan(workMax);
  });
});

test('a search takes its text for what it is, and not for a pattern', async () => {
  const id = await newJob(key);
  for (const q of ['%', '_'.repeat(200), `${'%_'.repeat(90)}x`, '\\', '\\%', '(a+)+$', '.*', '[', '%00'.repeat(3)]) {
    const { status, body } = await key.get(`/v1/jobs?q=${encodeURIComponent(q)}`);
    expect([q, status]).toEqual([q, 200]);
    for (const { name, description } of body.data) expect(`${name} ${description}`).toContain(q);
  }
  expect(
    (await key.get(`/v1/jobs?q=${encodeURIComponent('orders against')}`)).body.data.map((found: { id: string }) => found.id),
  ).toContain(id);
});

test('clients that send a header a second, or half a request, hold no connection', { timeout: 60_000 }, async () => {
  const slow = await Promise.all([open(world.url), open(world.url), open(world.url)]);
  const head = `GET /v1/jobs HTTP/1.1\r\nHost: ${new URL(world.url).host}\r\n`;
  slow[0]?.send(head);
  slow[1]?.send('GET');
  slow[2]?.send(head);
  const dripping = setInterval(() => slow[2]?.send('X-A: b\r\n'), 500);
  const answers = await Promise.all(slow.map(({ answer }) => answer()));
  clearInterval(dripping);
  for (const { status, body } of answers) expect([status, JSON.parse(body).code]).toEqual([408, 'request_timeout']);
  await Promise.all(slow.map(({ closed }) => closed));
});
