/** API1:2023. Another organization's id in a path is asked for by routes.test.ts, for every route; here it comes in every other way. */
import { waitFor } from '@settler/harness';
import { beforeAll, expect, test } from 'vitest';
import { job, must } from '../../src/party.ts';
import { askRoute } from '../../src/routes/probe.ts';
import { type Attack, attack, everyRoute } from '../../src/security/attack.ts';

let world: Attack;

beforeAll(async () => {
  world = await attack();
});

const lists = everyRoute.filter(([name, { method, path }]) => method === 'GET' && name.startsWith('list') && !path.includes('{'));

test.each(lists)('%s: a cursor of another organization leads to nothing of it', async (_name, route) => {
  const { ours, theirs } = world;
  const [us, them] = route.access === 'user' ? [ours.user, theirs.user] : [ours.key, theirs.key];
  const { data, nextCursor } = (await them.get(`${route.path}?limit=1`)).body;
  // Some lists are the same for everybody, and some have no second page.
  if (typeof nextCursor !== 'string') return;
  const answer = await askRoute(us, route, `${route.path}?cursor=${encodeURIComponent(nextCursor)}`);
  expect([200, 400]).toContain(answer.status);
  const text = JSON.stringify(answer.body);
  const whole = (await must(200, askRoute(them, route, route.path))).data;
  for (const { id } of [...data, ...whole]) if (id !== undefined) expect(text).not.toContain(id);
});

test('a job that names the file of another organization reads nothing of it', async () => {
  const { ours, theirs } = world;
  const source = { adapter: 'csv', config: { ...job.source.config, fileId: theirs.fileId } };
  const { id } = await must(201, ours.key.post('/v1/jobs', { ...job, source, target: { adapter: 'records', config: { records: [] } } }));
  const started = await ours.key.post(`/v1/jobs/${id}/executions`, {});
  if (started.status !== 202) {
    expect(started).toMatchObject({ status: 400, body: { errors: [{ path: 'source.fileId' }] } });
    return;
  }
  const ended = await waitFor(
    async () => {
      const { body } = await ours.key.get(`/v1/executions/${started.body.id}`);
      return ['completed', 'failed'].includes(body.status) && body;
    },
    { what: 'the end of the run' },
  );
  expect(ended).toMatchObject({ status: 'failed', summary: null });
});

test('an Idempotency-Key of another organization replays nothing', async () => {
  const { ours, theirs } = world;
  const headers = { 'idempotency-key': 'the same for both' };
  const victim = await theirs.key.post('/v1/jobs', job, { headers });
  const attacker = await ours.key.post('/v1/jobs', job, { headers });
  expect([victim.status, attacker.status, attacker.headers.get('idempotent-replayed')]).toEqual([201, 201, null]);
  expect(attacker.body.id).not.toBe(victim.body.id);
});

test('a tag, a version and a revision of another organization say nothing about its resources', async () => {
  const { ours, theirs } = world;
  const { headers } = await theirs.key.get(`/v1/jobs/${theirs.jobId}`);
  const tag = headers.get('etag') ?? '';
  const asked = [
    await ours.key.get(`/v1/jobs/${theirs.jobId}`, { headers: { 'if-none-match': tag } }),
    await ours.key.patch(`/v1/jobs/${theirs.jobId}`, { name: 'stolen' }, { headers: { 'if-match': tag } }),
    await ours.key.get(`/v1/executions/${theirs.executionId}/events`, { headers: { 'last-event-id': '1' } }),
  ];
  expect(asked.map(({ status }) => status)).toEqual([404, 404, 404]);
});
