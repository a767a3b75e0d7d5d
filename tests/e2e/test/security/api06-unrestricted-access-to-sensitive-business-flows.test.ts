/**
 * API6:2023. What counts once counts once, however many ask at the same moment. How often somebody may register, invite, ask for mails
 * and guess is bounded by identity, and tested there.
 */
import type { Answer } from '@settler/harness';
import { beforeAll, expect, test } from 'vitest';
import { job, must, newJob, payments } from '../../src/party.ts';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;

beforeAll(async () => {
  world = await attack();
});

const atOnce = async (times: number, ask: (number: number) => Promise<Answer>): Promise<number[]> => {
  const answers = await Promise.all(Array.from({ length: times }, (_, number) => ask(number)));
  return answers.map(({ status }) => status).sort();
};
const onceOf = (times: number, done: number, refused: number) => [done, ...Array<number>(times - 1).fill(refused)].sort();

test('a job that is run by ten at once runs once', async () => {
  const { ours } = world;
  const id = await newJob(ours.key);
  const body = { source: { fileId: ours.fileId }, target: { records: payments } };
  const statuses = await atOnce(10, () => ours.key.post(`/v1/jobs/${id}/executions`, body));
  // Whoever asks when the first run is over already may run it again; nobody may while it goes on.
  expect(statuses.every((status) => status === 202 || status === 409)).toBe(true);
  const { data } = (await ours.key.get(`/v1/executions?jobId=${id}`)).body;
  expect(data).toHaveLength(statuses.filter((status) => status === 202).length);
  expect(statuses).toContain(409);
});

test('an exception that is resolved by ten at once is resolved once', async () => {
  const { ours } = world;
  const place = `/v1/exceptions/${ours.exceptionId}`;
  const statuses = await atOnce(10, (number) => ours.key.post(`${place}/resolve`, { resolution: 'other', note: `by ${number}` }));
  expect(statuses).toEqual(onceOf(10, 200, 409));
  const { history } = (await ours.key.get(place)).body;
  expect(history.filter(({ action }: { action?: string }) => action === 'resolved').length).toBeLessThanOrEqual(1);
  await must(200, ours.key.post(`${place}/reopen`));
});

test('a job that is changed by ten at once from one state is changed once', async () => {
  const { ours } = world;
  const created = await ours.key.post('/v1/jobs', job);
  const headers = { 'if-match': created.headers.get('etag') ?? '' };
  const statuses = await atOnce(10, (number) => ours.key.patch(`/v1/jobs/${created.body.id}`, { name: `job ${number}` }, { headers }));
  expect(statuses).toEqual(onceOf(10, 200, 412));
});

test('a payment that is sent ten times under one Idempotency-Key is made once', async () => {
  const { ours } = world;
  const headers = { 'idempotency-key': 'ten at once' };
  const name = 'only one of these';
  const statuses = await atOnce(10, () => ours.key.post('/v1/jobs', { ...job, name }, { headers }));
  expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
  expect((await ours.key.get(`/v1/jobs?q=${encodeURIComponent(name)}`)).body.data).toHaveLength(1);
});

test('ten logouts, refreshes and endings of one session leave one end', async () => {
  const { ours } = world;
  const { refreshToken } = await ours.logIn();
  const statuses = await atOnce(6, () => ours.anonymous.post('/v1/auth/refresh', { refreshToken }));
  // Within the grace all of them are told the same successor, and nobody is told a second one.
  expect(new Set(statuses)).toEqual(new Set([200]));
  const successors = await Promise.all([0, 1].map(() => ours.anonymous.post('/v1/auth/refresh', { refreshToken })));
  expect(new Set(successors.map(({ body }) => body.refreshToken)).size).toBe(1);
});
