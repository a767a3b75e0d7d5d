import { connect } from '@nats-io/transport-node';
import { executionCompleted } from '@settler/contracts/events/executions';
import { type Client, client, createIsland, type Island, type StartedService, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
const otherOrganizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';
const unknown = 'job_01jqv8m0c4e7r9t2w5y8a1b3d0';

const body = {
  name: 'orders against payments',
  source: { adapter: 'csv', config: { fields: { id: 'Id', amount: 'Amount', currency: 'Currency', reference: 'Reference' } } },
  target: { adapter: 'records', config: { records: [{ id: 'p1', amount: '1.00', currency: 'EUR', reference: 'R1' }] } },
  rules: { matching: [{ field: 'reference', type: 'exact' }] },
};

const byReference = { field: 'reference', type: 'exact' };
const withAmount = (more: object) => ({ matching: [byReference, { field: 'amount', type: 'amount', ...more }] });
const withAlternative = (more: object) => ({
  matching: [byReference, { type: 'oneOf', conditions: [byReference, { field: 'amount', type: 'amount', ...more }] }],
});

describe('the jobs service', () => {
  let island: Island;
  let service: StartedService;
  let api: Client;

  const tokenFor = (organization: string, scopes: readonly string[] = ['*']) =>
    island.principalToken({ audience: 'jobs', organizationId: organization, scopes });
  const create = async (more = {}) => (await api.post('/v1/jobs', { ...body, ...more })).body;

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('jobs');
    service = await startService('jobs', island.environmentFor('jobs'));
    api = client(service.url, { token: () => tokenFor(organizationId) });
  });
  afterAll(async () => {
    await island.dispose();
  });

  test('pages of jobs that have their records in them end early, and the next goes on', async () => {
    const records = Array.from({ length: 3_000 }, (_, index) => ({ id: `p${index}`, note: 'x'.repeat(1_000) }));
    const { id } = await create({ target: { adapter: 'records', config: { records } } });
    for (const target of ['a', 'b', 'c', 'd'])
      expect((await api.patch(`/v1/jobs/${id}`, { rules: { matching: [{ type: 'exact', source: 'id', target }] } })).status).toBe(200);
    const pages: number[][] = [];
    for (let cursor = ''; pages.length < 5; ) {
      const { data, nextCursor } = (await api.get(`/v1/jobs/${id}/versions?limit=50${cursor}`)).body;
      pages.push(data.map(({ version }: { version: number }) => version));
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(pages).toEqual([[5, 4], [3, 2], [1]]);
    const listed = (await api.get('/v1/jobs?limit=1')).body;
    expect([listed.data[0].id, listed.data[0].target.config.records.length]).toEqual([id, records.length]);
    await api.delete(`/v1/jobs/${id}`);
  });

  test('a job is created at version 1, read back as it was sent, and said to the world once', async () => {
    const created = await api.post('/v1/jobs', { ...body, description: 'monthly', tags: ['shop'] });
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe(`/v1/jobs/${created.body.id}`);
    expect(created.headers.get('etag')).toMatch(/^"1-/);
    expect(created.body).toMatchObject({
      name: body.name,
      description: 'monthly',
      tags: ['shop'],
      status: 'active',
      version: 1,
      source: body.source,
      target: body.target,
      lastExecution: null,
      nextRunAt: null,
    });
    expect(created.body.rules.passes[0].match[0]).toMatchObject({ type: 'exact', source: 'reference', target: 'reference' });
    expect((await api.get(`/v1/jobs/${created.body.id}`)).body).toEqual(created.body);
    const database = new pg.Client(island.databaseConfig('jobs', 'system'));
    await database.connect();
    const { rows } = await database.query(
      'select subject from outbox where aggregate_id = $1 union all select subject from outbox_sent where aggregate_id = $1',
      [created.body.id],
    );
    expect(rows).toEqual([{ subject: `evt.jobs.job.created.v1.${organizationId}` }]);
    await database.end();
  });

  test('a change of configuration is a new version, any other change only a new revision', async () => {
    const { id } = await create();
    const renamed = await api.patch(`/v1/jobs/${id}`, { name: 'renamed' }, { headers: { 'if-match': '"1"' } });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'renamed', version: 1 } });
    expect((await api.patch(`/v1/jobs/${id}`, { name: 'late' }, { headers: { 'if-match': '"1"' } })).body.code).toBe('version_conflict');
    const changed = await api.patch(`/v1/jobs/${id}`, { rules: { matching: [{ field: 'amount', type: 'amount' }] } });
    expect(changed).toMatchObject({ body: { version: 2 } });
    expect(changed.headers.get('etag')).toMatch(/^"3-/);
    const versions = (await api.get(`/v1/jobs/${id}/versions`)).body.data;
    expect(versions.map((version: { version: number }) => version.version)).toEqual([2, 1]);
    expect((await api.get(`/v1/jobs/${id}/versions/1`)).body.rules.passes[0].match[0].type).toBe('exact');
    expect((await api.get(`/v1/jobs/${id}/versions/9`)).status).toBe(404);
  });

  test('active and paused, then archived for good', async () => {
    const { id } = await create();
    const move = async (name: string) => (await api.post(`/v1/jobs/${id}/${name}`)).body;
    expect(await move('resume')).toMatchObject({ code: 'conflict' });
    expect(await move('pause')).toMatchObject({ status: 'paused' });
    expect(await move('pause')).toMatchObject({ code: 'conflict' });
    expect(await move('resume')).toMatchObject({ status: 'active' });
    expect(await move('archive')).toMatchObject({ status: 'archived' });
    expect(await move('resume')).toMatchObject({ code: 'conflict' });
    expect((await api.patch(`/v1/jobs/${id}`, { name: 'x' })).body.code).toBe('conflict');
  });

  test('lists: newest first, in pages, by status, tag and text', async () => {
    const first = await create({ name: '100% sure', tags: ['list'] });
    const second = await create({ name: 'other', tags: ['list'] });
    await api.post(`/v1/jobs/${second.id}/pause`);
    const ids = async (query: string) => (await api.get(`/v1/jobs?${query}`)).body.data.map((job: { id: string }) => job.id);
    expect(await ids('tag=list')).toEqual([second.id, first.id]);
    expect(await ids('tag=list&status=paused')).toEqual([second.id]);
    expect(await ids('tag=list&q=100%25')).toEqual([first.id]);
    const page = (await api.get('/v1/jobs?tag=list&limit=1')).body;
    expect(page.data).toHaveLength(1);
    expect(await ids(`tag=list&limit=1&cursor=${page.nextCursor}`)).toEqual([first.id]);
    expect((await api.get(`/v1/jobs?limit=1&cursor=${page.nextCursor}`)).body.errors).toMatchObject([{ path: 'cursor' }]);
  });

  test.each([
    [{ name: '' }, 'name'],
    [{ source: { adapter: 'telepathy', config: {} } }, 'source.adapter'],
    [{ source: { adapter: 'csv', config: { fields: { amount: { column: 'A', decimal: ';' } } } } }, 'source.config.fields.amount.decimal'],
    [
      { target: { adapter: 'records', config: { records: [{ id: 'a', amount: '1e400', currency: 'EUR' }] } } },
      'target.config.records[0].amount',
    ],
    [
      { target: { adapter: 'records', config: { records: [{ id: 'a', amount: '1.00', currency: 'ZZZ' }] } } },
      'target.config.records[0].currency',
    ],
    [{ source: { adapter: 'csv', config: { fields: { currency: { value: 'BTC' } } } } }, 'source.config.fields.currency.value'],
    [{ rules: { matching: [] } }, 'rules.matching'],
    [{ rules: { ...body.rules, approval: { above: { ZZZ: '1' } } } }, 'rules.approval.above.ZZZ'],
    [{ rules: { ...body.rules, severity: {} } }, 'rules.severity'],
    [{ rules: { ...body.rules, severity: { from: { EUR: {} } } } }, 'rules.severity.from.EUR'],
    [{ rules: { ...body.rules, severity: { from: { EUR: { low: '1' } } } } }, 'rules.severity.from.EUR.low'],
    [{ rules: { ...body.rules, severity: { from: { EUR: { medium: '10.5', critical: '10.05' } } } } }, 'rules.severity.from.EUR'],
    [{ rules: { ...body.rules, severity: { categories: { matched: 'low' } } } }, 'rules.severity.categories.matched'],
    [{ rules: { passes: [{ name: 'a', match: [{ type: 'fuzzy', field: 'x' }] }] } }, 'rules.passes[0].match[0].threshold'],
    [
      { rules: { passes: [{ name: 'a', match: [{ type: 'amount', field: 'amount', tolerance: { absolute: '-1' } }] }] } },
      'rules.passes[0].match[0].tolerance.absolute',
    ],
    [{ rules: withAmount({ fx: { table: { 'EUR/USD': '0' } } }) }, 'rules.matching[1].fx.table["EUR/USD"]'],
    [{ rules: withAmount({ fx: { table: { 'EUR/USD': 'one' } } }) }, 'rules.matching[1].fx.table["EUR/USD"]'],
    [{ rules: withAmount({ fee: { percent: '100.1' } }) }, 'rules.matching[1].fee.percent'],
    [
      { rules: { passes: [{ name: 'a', cardinality: 'many-to-one', match: withAmount({ fx: { field: 'rate' } }).matching }] } },
      'rules.passes[0].match[1].fx',
    ],
    [{ rules: withAlternative({ verify: true }) }, 'rules.matching[1].conditions[1].verify'],
    [{ rules: withAlternative({ weight: 2 }) }, 'rules.matching[1].conditions[1].weight'],
    [{ schedule: { cron: '* * * * * *', timezone: 'UTC' } }, 'schedule.cron'],
    [{ schedule: { cron: '', timezone: 'UTC' } }, 'schedule.cron'],
    [{ schedule: { cron: '0 0 30 2 *', timezone: 'UTC' } }, 'schedule.cron'],
    [{ schedule: { cron: '0 0 * * *', timezone: 'Europe/Atlantis' } }, 'schedule.timezone'],
    [{ schedule: { cron: '0 0 * * *', timezone: 'UTC', misfire: 'all' } }, 'schedule.misfire'],
    [{ colour: 'red' }, 'colour'],
  ])('%j is refused at its path', async (fault, path) => {
    const { status, body: problem } = await api.post('/v1/jobs', { ...body, ...fault });
    expect(status).toBe(400);
    expect(problem.code).toBe('validation_failed');
    expect(problem.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test('another organization, an unknown id and no id at all are the same 404', async () => {
    const { id } = await create();
    const stranger = api.as({ token: () => tokenFor(otherOrganizationId) });
    for (const path of [`/v1/jobs/${id}`, `/v1/jobs/${id}/versions`, `/v1/jobs/${id}/versions/1`])
      expect((await stranger.get(path)).status).toBe(404);
    for (const move of ['pause', 'resume', 'archive']) expect((await stranger.post(`/v1/jobs/${id}/${move}`)).status).toBe(404);
    expect((await stranger.patch(`/v1/jobs/${id}`, { name: 'mine' })).status).toBe(404);
    expect((await stranger.get('/v1/jobs')).body.data).toEqual([]);
    expect((await api.get(`/v1/jobs/${unknown}`)).status).toBe(404);
    expect((await api.get('/v1/jobs/nonsense')).status).toBe(404);
    // Nothing is given away: it is the same for whatever has another kind's prefix.
    expect((await api.get(`/v1/jobs/${unknown.replace('job_', 'exe_')}`)).body).toMatchObject({
      status: 404,
      detail: 'There is no such resource: id must be an id that starts with job_.',
    });
    const app = new pg.Client(island.databaseConfig('jobs', 'app'));
    await app.connect();
    for (const table of ['jobs', 'job_versions', 'last_executions']) expect((await app.query(`select * from ${table}`)).rowCount).toBe(0);
    await app.end();
  });

  test('scopes: reading, writing, archiving each need their own', async () => {
    const { id } = await create();
    const reader = api.as({ token: () => tokenFor(organizationId, ['jobs:read']) });
    expect((await reader.get(`/v1/jobs/${id}`)).status).toBe(200);
    expect((await reader.post('/v1/jobs', body)).body.requiredScope).toBe('jobs:write');
    expect((await reader.post(`/v1/jobs/${id}/archive`)).body.requiredScope).toBe('jobs:delete');
    expect((await api.as({}).get('/v1/jobs')).status).toBe(401);
    expect((await api.as({ token: () => island.principalToken({ audience: 'webhooks', organizationId }) }).get('/v1/jobs')).status).toBe(
      401,
    );
  });

  test('the definition is for the executions service alone', async () => {
    const { id } = await create();
    const path = `/internal/jobs/${id}/definition`;
    const from = (issuer: 'executions' | 'gateway', organization = organizationId) =>
      api.as({ token: () => island.principalToken({ issuer, audience: 'jobs', organizationId: organization }) });
    expect((await from('executions').get(path)).body).toMatchObject({ jobId: id, version: 1, source: body.source });
    expect((await from('executions', otherOrganizationId).get(path)).status).toBe(404);
    expect((await from('gateway').get(path)).status).toBe(403);
  });

  test('the last execution is the newest state of the newest run that was not dry, whatever order the events come in', async () => {
    const { id } = await create();
    const url = new URL(island.brokerUrl('executions'));
    const connection = await connect({ servers: url.host, user: url.username, pass: url.password });
    const say = (number: number, aggregateversion: number, status: string, createdAt: string, dryRun = false) => {
      const event = status === 'running' ? 'started' : status;
      const data = {
        ...executionCompleted.example,
        organizationId,
        jobId: id,
        status,
        dryRun,
        createdAt,
        executionId: `exe_01jqv8m0c4e7r9t2w5y8a1b3d${new Date(createdAt).getUTCDate()}`,
      };
      const envelope = {
        specversion: '1.0',
        id: `evt_01jqv8m0c4e7r9t2w5y8a1b3d${number}`,
        source: '/settler/executions',
        type: `execution.${event}`,
        subject: data.executionId,
        time: createdAt,
        datacontenttype: 'application/json',
        organizationid: organizationId,
        aggregateversion,
        data,
      };
      connection.publish(`evt.executions.execution.${event}.v1.${organizationId}`, JSON.stringify(envelope));
    };
    const before = (await api.get(`/v1/jobs/${id}`)).headers.get('etag') ?? '';
    say(1, 3, 'completed', '2026-04-02T00:00:00.000Z');
    say(2, 2, 'running', '2026-04-02T00:00:00.000Z');
    say(3, 9, 'failed', '2026-04-01T00:00:00.000Z');
    say(4, 2, 'completed', '2026-04-03T00:00:00.000Z', true);
    await connection.drain();
    const inbox = new pg.Client(island.databaseConfig('jobs', 'system'));
    await inbox.connect();
    try {
      await waitFor(async () => (await inbox.query('select * from inbox')).rowCount === 4, { timeoutMs: 10_000, what: 'four events' });
    } finally {
      await inbox.end();
    }
    const job = await api.get(`/v1/jobs/${id}`, { headers: { 'if-none-match': before } });
    expect(job.body.lastExecution).toMatchObject({ id: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d2', status: 'completed' });
    // A run disturbs nobody who is changing the job.
    expect((await api.patch(`/v1/jobs/${id}`, { name: 'renamed' }, { headers: { 'if-match': before } })).status).toBe(200);
  });

  test('adapters are listed with the schema of their configuration', async () => {
    const { body: list } = await api.get('/v1/adapters');
    expect([list.data.map(({ name }: { name: string }) => name), list.nextCursor]).toEqual([['csv', 'records'], null]);
    const { body: first } = await api.get('/v1/adapters?limit=1');
    const { body: second } = await api.get(`/v1/adapters?limit=1&cursor=${first.nextCursor}`);
    expect([first.data, second]).toEqual([[list.data[0]], { data: [list.data[1]], nextCursor: null }]);
    expect((await api.get('/v1/adapters/csv')).body).toMatchObject({ name: 'csv', configSchema: { type: 'object' }, secretFields: [] });
    expect((await api.get('/v1/adapters/telepathy')).status).toBe(404);
  });
});
