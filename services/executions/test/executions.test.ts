import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import { type Client, client, createIsland, type Island, type StartedService, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
const otherOrganizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';
const jobId = 'job_01jqv8m0c4e7r9t2w5y8a1b3d6';
const archivedId = 'job_01jqv8m0c4e7r9t2w5y8a1b3d8';
const patientId = 'job_01jqv8m0c4e7r9t2w5y8a1b3d9';

const fields = { id: 'Id', amount: 'Amount', currency: 'Currency', date: 'Date', reference: 'Reference' };
const definition: JobDefinition = {
  jobId,
  name: 'orders against payments',
  status: 'active',
  version: 3,
  source: { adapter: 'csv', config: { fields } },
  target: { adapter: 'records', config: {} },
  rules: {
    passes: [
      {
        name: 'by reference',
        match: [
          { field: 'reference', type: 'exact' },
          { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' }, verify: true },
        ],
      },
    ],
  },
};

const [carryId, againId, dryId, strictId, anonymousId] = ['a', 'b', 'c', 'd', 'e'].map((end) => `job_01jqv8m0c4e7r9t2w5y8a1b3e${end}`) as [
  string,
  string,
  string,
  string,
  string,
];
const withoutIds = { adapter: 'csv', config: { fields: { reference: 'reference', amount: 'amount', currency: 'currency' } } };
const byId = (id: string): JobDefinition => ({
  ...definition,
  jobId: id,
  source: { adapter: 'records', config: {} },
  target: { adapter: 'records', config: {} },
});
interface Result {
  readonly outcome: string;
  readonly source: readonly { readonly id?: string; readonly reference?: string }[];
  readonly target: readonly { readonly id?: string; readonly reference?: string }[];
}

const csv = (rows: readonly string[]) => ['Id,Amount,Currency,Date,Reference', ...rows].join('\n');
const orders = csv([
  'o1,10.00,EUR,2026-04-01,R1',
  'o2,20.00,EUR,2026-04-01,R2',
  'o3,30.00,USD,2026-04-02,R3',
  'o4,abc,EUR,2026-04-02,R4',
  'o5,50.00,EUR,2026-04-02,R5',
]);
const payment = (id: string, amount: string, currency: string, reference: string) => ({
  id,
  amount,
  currency,
  date: '2026-04-02',
  reference,
});
const payments = [
  payment('p1', '10.00', 'EUR', 'R1'),
  payment('p2', '21.00', 'EUR', 'R2'),
  payment('p3', '30.00', 'USD', 'R3'),
  payment('p9', '9.00', 'EUR', 'R9'),
];

describe('the executions service', () => {
  let island: Island;
  let jobs: Server;
  let environment: Record<string, string>;
  let service: StartedService;
  let api: Client;
  let database: pg.Client;

  const tokenFor = (organization: string, scopes: readonly string[] = ['*']) =>
    island.principalToken({ audience: 'executions', organizationId: organization, scopes });
  const upload = async (text: string | Uint8Array, name = 'orders.csv') => {
    const answer = await api.post(`/v1/files?name=${name}`, undefined, { raw: text as string, headers: { 'content-type': 'text/csv' } });
    expect(answer.status).toBe(201);
    return answer.body.id as string;
  };
  const start = (body: unknown, options = {}) => api.post(`/v1/jobs/${jobId}/executions`, body, options);
  const over = async (id: string) => {
    await waitFor(async () => !['queued', 'running'].includes((await api.get(`/v1/executions/${id}`)).body.status), {
      timeoutMs: 20_000,
      what: `the end of ${id}`,
    });
    return (await api.get(`/v1/executions/${id}`)).body;
  };
  const runOnce = async (text = orders, records: readonly unknown[] = payments, more = {}) => {
    const answer = await start({ source: { fileId: await upload(text) }, target: { records }, ...more });
    expect(answer.status).toBe(202);
    return over(answer.body.id);
  };

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('executions');
    jobs = createServer((request, response) => {
      const id = request.url?.split('/')[3];
      const known = {
        [jobId]: definition,
        [archivedId]: { ...definition, jobId: archivedId, status: 'archived' },
        ...Object.fromEntries([carryId, againId, dryId].map((id) => [id, byId(id)])),
        [strictId]: { ...byId(strictId), rules: { ...byId(strictId).rules, openItems: { carryForward: false } } },
        [anonymousId]: { ...byId(anonymousId), source: withoutIds, target: withoutIds },
        [patientId]: {
          ...definition,
          jobId: patientId,
          rules: { ...definition.rules, openItems: { expectWithin: { after: 3_660 } } },
        },
      }[id ?? ''];
      response.writeHead(known === undefined ? 404 : 200, { 'content-type': 'application/json' }).end(JSON.stringify(known ?? {}));
    });
    await new Promise<void>((resolve) => jobs.listen(0, '127.0.0.1', resolve));
    environment = island.environmentFor('executions', {
      JOBS_URL: `http://127.0.0.1:${(jobs.address() as AddressInfo).port}`,
      LEASE_MS: '1500',
      LEASE_RENEW_MS: '300',
      SWEEP_MS: '300',
      RELAY_LEASE_MS: '1000',
    });
    service = await startService('executions', environment);
    api = client(service.url, { token: () => tokenFor(organizationId) });
    database = new pg.Client(island.databaseConfig('executions', 'admin'));
    await database.connect();
  });

  afterAll(async () => {
    await database.end();
    jobs.closeAllConnections();
    await new Promise((resolve) => jobs.close(resolve));
    await island.dispose();
  });

  test('a run explains every record, accounts for every cent and opens what needs a person', async () => {
    const execution = await runOnce();
    expect(execution).toMatchObject({ status: 'completed', jobId, jobVersion: 3, attempt: 1, error: null });
    const told = await (await fetch(`${service.url}/metrics`)).text();
    expect(told).toMatch(/^settler_execution_duration_seconds_count\{service="executions",status="completed"\} 1$/m);
    for (const name of ['queued', 'running', 'queued_oldest_seconds'])
      expect(told).toMatch(new RegExp(`^settler_executions_${name}\\{service="executions"\\} 0$`, 'm'));
    expect(execution.progress).toEqual({ stage: 'done', done: 6, total: 6 });
    expect(execution.summary).toMatchObject({
      source: { records: 5, amount: null },
      target: { records: 4, amount: null },
      matched: 2,
      mismatched: 1,
      missingInTarget: 1,
      missingInSource: 1,
      invalid: 1,
      matchRate: 0.4,
      byCurrency: { USD: { source: { records: 1, amount: '30.00' }, matched: 1 } },
    });
    const results = (await api.get(`/v1/executions/${execution.id}/results`)).body.data;
    expect(results).toHaveLength(6);
    const mismatch = results.find((result: { outcome: string }) => result.outcome === 'mismatched');
    expect(mismatch).toMatchObject({
      category: 'amount_mismatch',
      pass: 'by reference',
      delta: { amount: '1.00' },
      source: [{ id: 'o2', amount: '20.00' }],
      target: [{ id: 'p2', amount: '21.00' }],
      conditions: [
        { field: 'reference', type: 'exact', passed: true, score: 1 },
        { field: 'amount', type: 'amount', source: '20.00', target: '21.00', delta: '1.00', passed: false, score: 0 },
      ],
    });
    const invalid = results.find((result: { outcome: string }) => result.outcome === 'invalid');
    expect(invalid).toMatchObject({ line: 5, reason: expect.stringContaining('abc') });
    expect((await api.get(`/v1/executions/${execution.id}/results?outcome=matched&limit=1`)).body).toMatchObject({
      data: [{ outcome: 'matched' }],
      nextCursor: expect.any(String),
    });
    expect((await api.get(`/v1/executions/${execution.id}/results?q=P9`)).body.data).toHaveLength(1);
    expect((await api.get(`/v1/executions/${execution.id}/results?minAmount=25`)).body.data).toHaveLength(2);

    const report = (await api.get(`/v1/executions/${execution.id}/report`)).body;
    expect(report.certificate.holds).toBe(true);
    const euros = report.certificate.lines.find(
      (line: { side: string; currency: string }) => line.side === 'source' && line.currency === 'EUR',
    );
    expect(euros).toMatchObject({
      ingested: { count: 4, amount: '80.00' },
      accounted: { count: 4, amount: '80.00' },
      difference: { count: 0, amount: '0.00' },
    });

    const exceptions = (await api.get(`/v1/exceptions?executionId=${execution.id}`)).body.data;
    expect(exceptions.map((item: { category: string }) => item.category).sort()).toEqual([
      'amount_mismatch',
      'invalid_record',
      'missing_in_source',
      'missing_in_target',
    ]);
    expect(results.filter((result: { exceptionId: string | null }) => result.exceptionId !== null)).toHaveLength(4);
    const one = await api.get(`/v1/exceptions/${mismatch.exceptionId}`);
    expect(one.body).toMatchObject({
      status: 'open',
      ageDays: 0,
      comments: [],
      history: [{ action: 'opened', detail: { executionId: execution.id } }],
    });
  });

  test('a rerun gives the same results and opens no exception twice', async () => {
    const count = async () => Number((await database.query('select count(*) as n from exceptions where status = $1', ['open'])).rows[0].n);
    const first = await runOnce();
    const before = await count();
    const second = await runOnce();
    expect(await count()).toBe(before);
    const of = async (id: string) =>
      (await api.get(`/v1/executions/${id}/results?limit=200`)).body.data.map(({ id: _id, ...result }: { id: string }) => result);
    expect(await of(second.id)).toEqual(await of(first.id));
  });

  test('the certificate is recomputed from what is stored: one corrupted row and it no longer holds', async () => {
    const execution = await runOnce();
    const corrupted = await database.query(
      `update result_sums set amount_minor = amount_minor + 1 where execution_id = $1 and outcome = 'matched' and side = 'source' and currency = 'EUR'`,
      [execution.id],
    );
    expect(corrupted.rowCount).toBe(1);
    const { certificate } = (await api.get(`/v1/executions/${execution.id}/report`)).body;
    expect(certificate.holds).toBe(false);
    expect(
      certificate.lines.find((line: { side: string; currency: string }) => line.side === 'source' && line.currency === 'EUR').difference,
    ).toEqual({ count: 0, amount: '-0.01' });
  });

  test('what may still come is open without being an exception', async () => {
    const started = await api.post(`/v1/jobs/${patientId}/executions`, {
      source: { fileId: await upload(orders) },
      target: { records: payments },
    });
    const execution = await over(started.body.id);
    expect(execution).toMatchObject({ status: 'completed', summary: { missingInTarget: 1, missingInSource: 1 } });
    const results = (await api.get(`/v1/executions/${execution.id}/results?outcome=missing_in_target`)).body.data;
    expect(results).toMatchObject([{ source: [{ id: 'o5' }], dueOn: '2036-04-09', exceptionId: null }]);
    const exceptions = (await api.get(`/v1/exceptions?jobId=${patientId}`)).body.data;
    expect(exceptions.map(({ category }: { category: string }) => category).sort()).toEqual(['amount_mismatch', 'invalid_record']);
  });

  describe('what stays without counterpart', () => {
    const side = (...records: readonly (readonly [id: string, amount: string])[]) => ({
      records: records.map(([id, amount]) => ({ id, amount, currency: 'EUR', date: '2026-04-01', reference: id.slice(1) })),
    });
    const runOf = async (job: string, source: unknown, target: unknown, more = {}) => {
      const { status, body } = await api.post(`/v1/jobs/${job}/executions`, { source, target, ...more });
      expect(status).toBe(202);
      return over(body.id);
    };
    const outcomesOf = async ({ id }: { id: string }) =>
      (await api.get(`/v1/executions/${id}/results`)).body.data.map((result: Result) => [
        result.outcome,
        result.source.map((record) => record.id ?? record.reference).join(),
        result.target.map((record) => record.id ?? record.reference).join(),
      ]);
    const exceptionsOf = async (job: string) => (await api.get(`/v1/exceptions?jobId=${job}`)).body.data;

    test('joins the next run, is resolved by its counterpart, and is counted as what the run began with', async () => {
      const first = await runOf(carryId, side(['s1', '10.00'], ['s2', '20.00']), side(['t1', '10.00']));
      expect(await outcomesOf(first)).toEqual([
        ['missing_in_target', 's2', ''],
        ['matched', 's1', 't1'],
      ]);
      const [exception] = await exceptionsOf(carryId);

      const second = await runOf(carryId, side(['s3', '30.00']), side(['t2', '20.00'], ['t3', '31.00']));
      expect((await outcomesOf(second)).toSorted()).toEqual([
        ['matched', 's2', 't2'],
        ['mismatched', 's3', 't3'],
      ]);
      expect(second.summary).toMatchObject({ source: { records: 2, amount: '50.00' }, target: { records: 2 }, matchRate: 0.5 });
      const report = (await api.get(`/v1/executions/${second.id}/report`)).body;
      expect(report.certificate).toMatchObject({ holds: true });
      const line = report.certificate.lines.find((one: { side: string }) => one.side === 'source');
      expect(line).toMatchObject({ opening: { count: 1, amount: '20.00' }, ingested: { count: 1, amount: '30.00' } });

      const resolved = (await api.get(`/v1/exceptions/${exception.id}`)).body;
      expect(resolved).toMatchObject({ status: 'resolved', resolution: 'matched_later', firstSeenAt: exception.firstSeenAt });
      expect(resolved.history.at(-1)).toMatchObject({
        action: 'resolved',
        actor: { type: 'system' },
        detail: { executionId: second.id, outcome: 'matched' },
      });
      const { rows } =
        await database.query(`select body::jsonb->'data' as data from outbox_sent where body::jsonb->>'type' = 'exception.resolved'
        union all select body::jsonb->'data' from outbox where body::jsonb->>'type' = 'exception.resolved'`);
      expect(rows.map(({ data }) => data)).toContainEqual(expect.objectContaining({ exceptionId: exception.id, executionId: second.id }));
      const entries = await database.query('select record from open_items where job_id = $1', [carryId]);
      expect(entries.rows).toEqual([]);
    });

    test('is one record when it is delivered again, in its newest version and with its first day', async () => {
      const first = await runOf(againId, side(['s1', '10.00']), side(['t9', '5.00']));
      expect(first.summary).toMatchObject({ missingInTarget: 1, missingInSource: 1 });
      const opened = await exceptionsOf(againId);
      const second = await runOf(againId, side(['s1', '12.00']), side());
      expect(second.summary).toMatchObject({ source: { records: 1, amount: '12.00' }, target: { records: 1 }, missingInTarget: 1 });
      const { certificate } = (await api.get(`/v1/executions/${second.id}/report`)).body;
      expect(certificate).toMatchObject({ holds: true });
      expect(certificate.lines).toMatchObject([
        { side: 'source', opening: { count: 0 }, ingested: { count: 1, amount: '12.00' } },
        { side: 'target', opening: { count: 1, amount: '5.00' }, ingested: { count: 0 } },
      ]);
      expect((await exceptionsOf(againId)).map(({ id }: { id: string }) => id)).toEqual(opened.map(({ id }: { id: string }) => id));
      const third = await runOf(againId, side(), side(['t1', '12.00']));
      expect(await outcomesOf(third)).toEqual([
        ['missing_in_source', '', 't9'],
        ['matched', 's1', 't1'],
      ]);
    });

    test('takes part in a dry run, which changes nothing of it', async () => {
      await runOf(dryId, side(['s1', '10.00']), side());
      const dry = await runOf(dryId, side(), side(['t1', '10.00']), { dryRun: true });
      expect(dry.summary).toMatchObject({ matched: 1, source: { records: 1 } });
      const real = await runOf(dryId, side(), side(['t1', '10.00']));
      expect(real.summary).toMatchObject({ matched: 1 });
    });

    test('stays where it is when the rules say so', async () => {
      await runOf(strictId, side(['s1', '10.00']), side());
      const next = await runOf(strictId, side(), side(['t1', '10.00']));
      expect(next.summary).toMatchObject({ matched: 0, missingInSource: 1, source: { records: 0 } });
    });

    test('has an identity without an id: what it says, and which of those that say the same it is', async () => {
      const rows = (...lines: readonly string[]) => ['reference,amount,currency', ...lines.map((line) => `${line},EUR`)].join('\n');
      const file = async (...lines: readonly string[]) => ({ fileId: await upload(rows(...lines)) });
      const first = await runOf(anonymousId, await file('1,5.00', '1,5.00', '2,7.00'), await file('1,5.00'));
      expect(first.summary).toMatchObject({ matched: 1, missingInTarget: 2 });
      // Both copies again: one of them is the open item, and the other has been matched before.
      const second = await runOf(anonymousId, await file('1,5.00'), await file('2,7.00'));
      expect(second.summary).toMatchObject({ source: { records: 2, amount: '12.00' }, matched: 1, missingInTarget: 1 });
      // One of these has been matched before, and keeps that.
      const third = await runOf(anonymousId, await file(), await file('1,5.00', '1,5.00'));
      expect(third.summary).toMatchObject({ source: { records: 1, amount: '5.00' }, matched: 2, missingInTarget: 0, missingInSource: 0 });
      expect((await api.get(`/v1/executions/${third.id}/report`)).body.certificate.holds).toBe(true);
    });
  });

  test('a dry run stores no results and no exceptions, only its report', async () => {
    const execution = await runOnce(orders, payments, { dryRun: true });
    expect(execution).toMatchObject({ status: 'completed', dryRun: true, summary: { matched: 2 } });
    expect(execution.progress).toEqual({ stage: 'done', done: 6, total: 6 });
    expect((await api.get(`/v1/executions/${execution.id}/results`)).body).toEqual({ data: [], nextCursor: null });
    expect((await api.get(`/v1/executions/${execution.id}/report`)).body.certificate.holds).toBe(true);
    expect((await api.get(`/v1/exceptions?executionId=${execution.id}`)).body.data).toEqual([]);
  });

  test('a dry run is in no other run’s way, and no other run in its way', async () => {
    const waits = async (id: string, status: string, isDry: boolean) =>
      database.query(
        `update executions set status = $2, dry_run = $3, not_before = now() + interval '1 hour', rung_at = now() where id = $1`,
        [id, status, isDry],
      );
    const { id } = await runOnce(orders, payments, { dryRun: true });
    await waits(id, 'queued', true);
    expect((await runOnce()).status).toBe('completed');
    await waits(id, 'queued', false);
    expect((await start({ source: { fileId: await upload(orders) }, target: { records: payments } })).status).toBe(409);
    expect((await runOnce(orders, payments, { dryRun: true })).status).toBe('completed');
    await waits(id, 'completed', true);
  });

  test('a period keeps the records whose date is in it', async () => {
    const execution = await runOnce(orders, payments, { period: { from: '2026-04-01', to: '2026-04-01' } });
    // Open items of earlier runs take part besides.
    const { lines } = (await api.get(`/v1/executions/${execution.id}/report`)).body.certificate;
    const ingested = (side: string) =>
      lines.reduce(
        (sum: number, line: { side: string; ingested: { count: number } }) => sum + (line.side === side ? line.ingested.count : 0),
        0,
      );
    expect([ingested('source'), ingested('target')]).toEqual([3, 0]);
    expect(execution.problems).toMatchObject([{ side: 'target', code: 'no_records' }]);
  });

  test('what cannot be read is the same on another line, where it says who it is', async () => {
    const row = 'u1,abc,EUR,2026-04-02,U1';
    const told = async () => (await api.get(`/v1/exceptions?jobId=${jobId}&category=invalid_record&q=u1`)).body.data;
    await runOnce(csv([row]), []);
    const [{ id }] = await told();
    expect((await api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' })).status).toBe(200);
    const paid = { id: 'pu0', amount: '1.00', currency: 'EUR', reference: 'U0' };
    const again = await runOnce(csv(['u0,1.00,EUR,2026-04-02,U0', row]), [paid]);
    expect(await told()).toMatchObject([{ id, status: 'resolved' }]);
    const { data } = (await api.get(`/v1/executions/${again.id}/results?outcome=invalid`)).body;
    expect(data).toMatchObject([{ line: 3, exceptionId: id }]);
  });

  test.each([
    ['without a currency', 'n1,5.00,,2026-04-02,N1', 'n1,5000.00,,2026-04-02,N1'],
    ['of a currency that is none', 'n2,5.00,XYZ,2026-04-02,N2', 'n2,5000.00,XYZ,2026-04-02,N2'],
    ['of too few cells', 'n3,5.00,EUR', 'n4,5000.00,EUR'],
  ])('who writes off a row %s has not written off another with a larger amount', async (_what, small, large) => {
    const invalid = async (row: string) => {
      const run = await runOnce(csv([row]), []);
      return (await api.get(`/v1/executions/${run.id}/results?outcome=invalid`)).body.data[0];
    };
    const { exceptionId } = await invalid(small);
    expect((await api.post(`/v1/exceptions/${exceptionId}/resolve`, { resolution: 'written_off' })).status).toBe(200);
    expect((await invalid(small)).exceptionId).toBe(exceptionId);
    const other = await invalid(large);
    expect(JSON.stringify([other.source, other.reason])).toContain('5000.00');
    expect((await api.get(`/v1/exceptions/${other.exceptionId}`)).body).toMatchObject({ status: 'open' });
  });

  test('a period tells of records without a date, which take part, and is refused where no record of a side has one', async () => {
    // Dry, so that nothing stays open for other runs of the job.
    const run = { period: { from: '2026-04-01', to: '2026-04-01' }, dryRun: true };
    const message = (of: number) => `2 of the ${of} records that can be read have no date: they take part whatever the period`;
    const undated = csv(['o1,10.00,EUR,2026-04-01,R1', 'o2,20.00,EUR,,R2', 'o3,30.00,EUR,2026-04-02,R3', 'o4,40.00,EUR,,R4']);
    const { date: _date, ...without } = payment('p2', '20.00', 'EUR', 'R2');
    const told = await runOnce(undated, [...payments, without, { ...without, id: 'p3' }], run);
    expect(told.problems).toEqual([
      { side: 'source', code: 'no_date', message: message(4), line: 3 },
      { side: 'target', code: 'no_date', message: message(6) },
    ]);

    const noDates = (side: string) => ({ status: 'failed', attempt: 1, error: { code: 'no_dates', side } });
    const unmapped = await api.post(`/v1/jobs/${anonymousId}/executions`, {
      source: { fileId: await upload('reference,amount,currency,day\nR1,1.00,EUR,2026-04-01') },
      target: { fileId: await upload('reference,amount,currency\nR1,1.00,EUR') },
      ...run,
    });
    const failed = await over(unmapped.body.id);
    expect(failed).toMatchObject(noDates('source'));
    expect(failed.error.message).toContain('none of the 1 records of the source');
    expect(await runOnce(undated, [without], run)).toMatchObject(noDates('target'));
    expect(await runOnce(undated, [], run)).toMatchObject({ status: 'completed' });
  });

  test.each([
    ['a column that is not there', 'Id,Total\n1,2', 'no_such_column'],
    ['binary junk', Buffer.from([0, 1, 2, 255, 254, 0, 0, 7]), 'binary_content'],
    ['an empty file', '', 'empty_file'],
  ])('%s ends the run at once with code and side', async (_what, content, code) => {
    const answer = await start({ source: { fileId: await upload(content) }, target: { records: payments } });
    const execution = await over(answer.body.id);
    expect(execution).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code, side: 'source', message: expect.stringMatching(/^source/) },
    });
    for (const part of ['results', 'fees', 'export']) {
      const { body } = await api.get(`/v1/executions/${execution.id}/${part}`);
      const detail = 'This execution is failed: only one that is completed has results.';
      expect(body, part).toMatchObject({ status: 409, code: 'conflict', detail });
    }
    const report = (await api.get(`/v1/executions/${execution.id}/report`)).body;
    expect(report).toMatchObject({ status: 'failed', outcomes: [], certificate: { holds: false, lines: [] } });
  });

  test('killed at one point after the other, its workers end a run: nothing lost, nothing twice', async () => {
    const points = ['executions.claimed', 'executions.mid-copy', 'executions.before-commit', 'executions.after-commit'];
    await service.stop();
    let worker = await startService('executions', { ...environment, SETTLER_FAULT: points[0] as string });
    const { body } = await start({ source: { fileId: await upload(orders) }, target: { records: payments } });
    for (const [index, point] of points.entries()) {
      expect((await worker.exited).signal, point).toBe('SIGKILL');
      const next = points[index + 1];
      worker = await startService('executions', next === undefined ? environment : { ...environment, SETTLER_FAULT: next }, {
        isDoomed: next !== undefined,
      });
    }
    service = worker;
    const execution = await over(body.id);
    expect(execution).toMatchObject({ status: 'completed', attempt: points.length });
    const { rows } = await database.query(
      `select (select count(*) from results where execution_id = $1)::int as results, (select sum(count) from result_sums where execution_id = $1)::int as records,
      (select count(*) from (select 1 from outbox where aggregate_id = $1 and subject like '%completed%' union all select 1 from outbox_sent where aggregate_id = $1 and subject like '%completed%') as said)::int as completions,
      (select count(*) from results join exceptions on exceptions.id = exception_id where results.execution_id = $1)::int as told`,
      [execution.id],
    );
    expect(rows[0]).toEqual({ results: 6, records: 9, completions: 1, told: 4 });
    expect((await api.get(`/v1/executions/${execution.id}/report`)).body.certificate.holds).toBe(true);
  });

  test('server-sent events tell the end even to one who comes late, and resume where they were', async () => {
    const execution = await runOnce();
    const late = await fetch(`${service.url}/v1/executions/${execution.id}/events`, {
      headers: { authorization: `Bearer ${tokenFor(organizationId)}` },
    });
    expect(late.headers.get('content-type')).toBe('text/event-stream');
    const text = await late.text();
    expect(text).toMatch(/^id: \d+\nevent: completed\ndata: \{.*"status":"completed"/);
    const behind = async (id: string) => {
      const headers = { authorization: `Bearer ${tokenFor(organizationId)}`, 'last-event-id': id };
      return (await fetch(`${service.url}/v1/executions/${execution.id}/events`, { headers })).text();
    };
    const last = /^id: (\d+)/.exec(text)?.[1] ?? '';
    expect(await behind(last)).toBe('');
    for (const never of [`${last}0`, '9007199254740993', '-1', 'x']) expect(await behind(never)).toBe(text);
  });

  test('whoever asks for the head of a stream of events has it while the run goes on', async () => {
    // No run of the job comes to its end as long as this is held.
    await database.query('begin');
    await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${jobId}`]);
    try {
      const answer = await start({ source: { fileId: await upload(orders) }, target: { records: payments } });
      expect(answer.status).toBe(202);
      const head = await fetch(`${service.url}/v1/executions/${answer.body.id}/events`, {
        method: 'HEAD',
        headers: { authorization: `Bearer ${tokenFor(organizationId)}` },
        signal: AbortSignal.timeout(5_000),
      });
      expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      expect((await api.get(`/v1/executions/${answer.body.id}`)).body.completedAt).toBeNull();
      await database.query('commit');
      await over(answer.body.id);
    } finally {
      await database.query('rollback');
    }
  });

  test('what cannot run is refused before it is queued', async () => {
    const missing = 'fil_01jqv8m0c4e7r9t2w5y8a1b3d6';
    expect((await start({ source: { fileId: missing } })).body).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'source.fileId' }],
    });
    expect((await start({ target: { records: [{ id: 'x', amount: 'NaN', currency: 'EUR' }] } })).body).toMatchObject({
      status: 400,
      errors: [{ path: 'target.records[0].amount' }],
    });
    expect((await start({ target: { fileId: missing } })).body).toMatchObject({ status: 400, errors: [{ path: 'target.fileId' }] });
    expect((await start({ period: { from: '2026-04-02', to: '2026-04-01' } })).body.errors).toMatchObject([{ path: 'period.to' }]);
    expect((await start({ colour: 1 })).body.errors).toEqual([{ path: 'colour', message: 'is not a known field' }]);
    expect((await api.post(`/v1/jobs/${archivedId}/executions`, {})).body.code).toBe('conflict');
    expect((await api.post('/v1/jobs/job_01jqv8m0c4e7r9t2w5y8a1b3d0/executions', {})).status).toBe(404);
  });

  test('another organization sees nothing of a run, its files or its exceptions', async () => {
    const execution = await runOnce();
    const fileId = await upload(orders);
    const [exception] = (await api.get('/v1/exceptions')).body.data;
    const stranger = api.as({ token: () => tokenFor(otherOrganizationId) });
    for (const path of [
      `/v1/executions/${execution.id}`,
      `/v1/executions/${execution.id}/results`,
      `/v1/executions/${execution.id}/report`,
      `/v1/executions/${execution.id}/events`,
      `/v1/files/${fileId}`,
      `/v1/exceptions/${exception.id}`,
    ]) {
      expect((await stranger.get(path)).status).toBe(404);
    }
    expect((await stranger.delete(`/v1/files/${fileId}`)).status).toBe(404);
    expect((await stranger.post(`/v1/executions/${execution.id}/cancel`)).status).toBe(404);
    for (const list of ['/v1/executions', '/v1/files', '/v1/exceptions']) expect((await stranger.get(list)).body.data).toEqual([]);
    expect(
      (await stranger.post(`/v1/jobs/${jobId}/executions`, { source: { fileId }, target: { records: [] } })).body.errors,
    ).toMatchObject([{ path: 'source.fileId' }]);
    const app = new pg.Client(island.databaseConfig('executions', 'app'));
    await app.connect();
    for (const table of ['files', 'executions', 'results', 'result_sums', 'result_renamings', 'exceptions'])
      expect((await app.query(`select * from ${table}`)).rowCount).toBe(0);
    await app.end();
  });

  test('files: read, listed, deleted, and the same upload again under one key is one file', async () => {
    const headers = { 'content-type': 'text/csv', 'idempotency-key': 'upload-1' };
    const first = await api.post('/v1/files?name=a.csv', undefined, { raw: orders, headers });
    const again = await api.post('/v1/files?name=a.csv', undefined, { raw: orders, headers });
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect((await api.post('/v1/files?name=a.csv', undefined, { raw: `${orders}x`, headers })).body.code).toBe('idempotency_key_reused');
    expect(first.body).toMatchObject({
      name: 'a.csv',
      size: orders.length,
      contentType: 'text/csv',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect((await api.get(`/v1/files/${first.body.id}`)).body).toEqual(first.body);
    expect((await api.delete(`/v1/files/${first.body.id}`)).status).toBe(204);
    expect((await api.get(`/v1/files/${first.body.id}`)).status).toBe(404);
  });

  test('a run says which files it has read, also once they are deleted', async () => {
    const fileId = await upload(`${orders}\no6,6.00,EUR,2026-04-02,R6`);
    const { sha256 } = (await api.get(`/v1/files/${fileId}`)).body;
    const { body } = await start({ source: { fileId }, target: { records: payments }, dryRun: true });
    const inputs = { source: { fileId, sha256 }, target: null };
    expect(body.inputs).toEqual(inputs);
    await over(body.id);
    expect((await api.delete(`/v1/files/${fileId}`)).status).toBe(204);
    expect((await api.get(`/v1/executions/${body.id}`)).body.inputs).toEqual(inputs);
    const { rows } = await database.query(
      `select body::jsonb #> '{data,after,inputs}' as inputs from (select body from outbox union all select body from outbox_sent) as told
        where body::jsonb #>> '{data,action}' = 'execution.queued' and body::jsonb #>> '{data,resource,id}' = $1`,
      [body.id],
    );
    expect(rows).toEqual([{ inputs }]);
  });

  test('a page ends where the next one begins, however many files came in one moment', async () => {
    const token = { token: () => tokenFor('org_01jqv8m0c4e7r9t2w5y8a1b3d9') };
    const own = client(service.url, token);
    await Promise.all(Array.from({ length: 60 }, (_, index) => own.post(`/v1/files?name=${index}`, undefined, { raw: 'x' })));
    const names = new Set<string>();
    for (let cursor = ''; ; ) {
      const { body } = await own.get(`/v1/files?limit=1${cursor}`);
      names.add(body.data[0].name);
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    expect(names.size).toBe(60);
  });

  test.each([
    ['no form at all', 'multipart/form-data', 'x', 'malformed_request'],
    [
      'a form that breaks off',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nid',
      'malformed_request',
    ],
    [
      'a name with NUL',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="file"; filename="a\0b"\r\n\r\nid\r\n--b--\r\n',
      'validation_failed',
    ],
  ])('an upload of %s is refused', async (_what, type, raw, code) => {
    const answer = await api.post('/v1/files', undefined, { raw, headers: { 'content-type': type } });
    expect(answer).toMatchObject({ status: 400, body: { code } });
    expect((await api.post('/v1/files?name=a%00b', undefined, { raw: 'x' })).body.errors).toMatchObject([{ path: 'name' }]);
  });

  test('runs are listed of one status or of several, newest first, in pages that miss none', async () => {
    const jobId = 'job_01jqv8m0c4e7r9t2w5y8a5stat';
    const statuses = ['completed', 'failed', 'cancelled', 'completed', 'cancelled', 'failed'];
    const ids: string[] = [];
    for (const status of statuses) {
      const { id } = await runOnce();
      await database.query(`update executions set job_id = $2, status = $3 where id = $1`, [id, jobId, status]);
      ids.unshift(id);
    }
    const of = (...wanted: readonly string[]) => ids.filter((_, index) => wanted.includes(statuses.at(-1 - index) as string));
    const listed = async (status: string, cursor = ''): Promise<string[]> => {
      const { body } = await api.get(`/v1/executions?jobId=${jobId}&limit=2&status=${status}${cursor}`);
      const page = body.data.map(({ id }: { id: string }) => id);
      return body.nextCursor === null ? page : [...page, ...(await listed(status, `&cursor=${body.nextCursor}`))];
    };
    expect(await listed('failed')).toEqual(of('failed'));
    expect(await listed('failed,cancelled,failed')).toEqual(of('cancelled', 'failed'));
    expect(await listed('queued,running')).toEqual([]);
    const message =
      'must be one of queued, running, completed, failed, cancelled, or several of them with commas between, such as queued,running';
    for (const status of ['', 'lost', 'queued,', 'queued,lost'])
      expect((await api.get(`/v1/executions?status=${status}`)).body.errors).toEqual([{ path: 'status', message }]);
  });

  test('over is over: cancelling a run that ended is a conflict', async () => {
    const execution = await runOnce();
    expect((await api.post(`/v1/executions/${execution.id}/cancel`)).body.code).toBe('conflict');
  });
});
