import { type Client, client, createIsland, type Island, type StartedService, startReplica, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schedules } from '../src/infrastructure/postgres/measures.ts';

const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
const settings = { SCHEDULE_TICK_MS: '50' };
const yearly = { cron: '0 0 1 1 *', timezone: 'UTC', misfire: 'run-once' };
const body = {
  name: 'scheduled',
  source: { adapter: 'records', config: { records: [{ id: 'a', amount: '1.00', currency: 'EUR', reference: 'R1' }] } },
  target: { adapter: 'records', config: { records: [{ id: 'p', amount: '1.00', currency: 'EUR', reference: 'R1' }] } },
  rules: { matching: [{ field: 'reference', type: 'exact' }] },
};

describe('schedules', () => {
  let island: Island;
  let services: StartedService[];
  let api: Client;
  let database: pg.Client;

  const clientOf = (service: StartedService) =>
    client(service.url, { token: () => island.principalToken({ audience: 'jobs', organizationId, scopes: ['*'] }) });
  const startReplicas = async () => {
    services = await Promise.all([1, 2].map(() => startReplica(island, 'jobs', settings)));
    api = clientOf(services[0] as StartedService);
  };
  const create = async (schedule: unknown = yearly) => (await api.post('/v1/jobs', { ...body, schedule })).body;
  /** As if so much time had passed since the job was due: the scheduler goes by the database's clock alone. */
  const makeDue = (ids: readonly string[], ago: string) =>
    database.query(`update jobs set next_run_at = now() - $2::interval where id = any($1)`, [ids, ago]);
  const said = async (subject: string, ids: readonly string[]) => {
    const { rows } = await database.query(
      `select body::jsonb->'data' as data from (select body, subject from outbox union all select body, subject from outbox_sent) as said
        where subject like $1 and coalesce(body::jsonb->'data'->>'jobId', body::jsonb->'data'->'resource'->>'id') = any($2)`,
      [subject, ids],
    );
    return rows.map(({ data }) => data);
  };
  const requests = (ids: readonly string[]) => said('work.runs', ids);
  const missed = async (id: string) => (await said('aud.jobs.%', [id])).filter(({ action }) => action === 'job.schedule_missed');
  const handled = (ids: readonly string[]) =>
    waitFor(async () => (await database.query('select 1 from jobs where id = any($1) and next_run_at <= now()', [ids])).rowCount === 0, {
      timeoutMs: 20_000,
      what: 'what was due',
    });

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('jobs');
    database = new pg.Client(island.databaseConfig('jobs', 'system'));
    await database.connect();
    await startReplicas();
  });
  afterAll(async () => {
    await database.end();
    await island.dispose();
  });

  test('a schedule is part of the version, and says when it is due next', async () => {
    const job = await create({ cron: '30 6 * * *', timezone: 'Europe/Berlin' });
    expect(job.schedule).toEqual({ cron: '30 6 * * *', timezone: 'Europe/Berlin', misfire: 'run-once' });
    expect(Date.parse(job.nextRunAt)).toBeGreaterThan(Date.now());
    const renamed = (await api.patch(`/v1/jobs/${job.id}`, { name: 'other' })).body;
    expect(renamed).toMatchObject({ version: 1, nextRunAt: job.nextRunAt });
    const moved = (await api.patch(`/v1/jobs/${job.id}`, { schedule: yearly })).body;
    expect(moved).toMatchObject({ version: 2, schedule: yearly, source: body.source });
    expect(moved.nextRunAt).toMatch(/-01-01T00:00:00.000Z$/);
    expect((await api.get(`/v1/jobs/${job.id}/versions/1`)).body.schedule.cron).toBe('30 6 * * *');
    expect((await api.patch(`/v1/jobs/${job.id}`, { schedule: null })).body).toMatchObject({ version: 3, schedule: null, nextRunAt: null });
  });

  test('pausing lets it rest, resuming goes on with the next time to come, archiving ends it', async () => {
    const job = await create();
    const move = async (name: string) => (await api.post(`/v1/jobs/${job.id}/${name}`)).body;
    expect(await move('pause')).toMatchObject({ nextRunAt: null, schedule: yearly });
    expect((await api.patch(`/v1/jobs/${job.id}`, { schedule: { ...yearly, cron: '0 0 2 1 *' } })).body.nextRunAt).toBeNull();
    expect((await move('resume')).nextRunAt).toMatch(/-01-02T00:00:00.000Z$/);
    expect(await move('archive')).toMatchObject({ nextRunAt: null });
    expect(await requests([job.id])).toEqual([]);
  });

  test('two replicas ask for each due time once', async () => {
    const ids = (await Promise.all(Array.from({ length: 30 }, () => create()))).map(({ id }) => id);
    for (const round of [1, 2, 3]) {
      await makeDue(ids, '5 seconds');
      await handled(ids);
      expect(await requests(ids)).toHaveLength(30 * round);
    }
    const asked = (await requests(ids)).map(({ jobId, dueAt }) => `${jobId} ${dueAt}`);
    expect(new Set(asked).size).toBe(90);
    const job = await api.get(`/v1/jobs/${ids[0]}`);
    expect(job.headers.get('etag')).toMatch(/^"1-/);
    expect(job.body.nextRunAt).toMatch(/-01-01T00:00:00.000Z$/);
  });

  test('one that is late is told to whoever watches, and one that rests is not', async () => {
    const [late, resting] = [await create(), await create()];
    await database.query('begin');
    // Before it is committed, no scheduler sees it.
    await makeDue([late.id, resting.id], '1 hour');
    await database.query(`update jobs set status = 'paused' where id = $1`, [resting.id]);
    const { rows } = await database.query(schedules.query);
    await database.query('rollback');
    expect(rows.map((row) => [Number(row.late), Math.round(row.lateness / 60)])).toEqual([[1, 60]]);
    for (const { url } of services)
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^settler_schedules_late\{service="jobs"\} 0$/m);
  });

  test('missed times: one run for all, or none; both are said', async () => {
    const once = await create({ cron: '0 * * * *', timezone: 'UTC' });
    const skipping = await create({ cron: '0 * * * *', timezone: 'UTC', misfire: 'skip' });
    await makeDue([once.id, skipping.id], '5 hours');
    await handled([once.id, skipping.id]);
    expect(await requests([once.id])).toHaveLength(1);
    expect(await missed(once.id)).toMatchObject([{ actor: { type: 'system' }, after: { runsOnce: true } }]);
    expect(await requests([skipping.id])).toEqual([]);
    expect(await missed(skipping.id)).toMatchObject([{ after: { runsOnce: false } }]);
    expect(Date.parse((await api.get(`/v1/jobs/${skipping.id}`)).body.nextRunAt)).toBeGreaterThan(Date.now());
  });

  test.each([['jobs.schedule.fired'], ['jobs.schedule.committed']])('killed at %s, the due time is asked for once', async (point) => {
    const { id } = await create();
    await Promise.all(services.map((service) => service.stop()));
    await makeDue([id], '5 seconds');
    const doomed = await startService('jobs', island.environmentFor('jobs', { ...settings, SETTLER_FAULT: point })).catch(() => undefined);
    await doomed?.exited;
    await startReplicas();
    await handled([id]);
    expect(await requests([id])).toHaveLength(1);
  });
});
