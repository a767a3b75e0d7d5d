import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv, csvWithoutIds, orders, ordersInCsv, ordersJobId, payment, payments, runsOfOrders } from './orders-in-csv.ts';
import { byReference, type Executions, shareExecutions } from './running-service.ts';

const [patientId, archivedId, anonymousId, unknownId] = ['a', 'b', 'c', 'd'].map((end) => `job_01jqv8m0c4e7r9t2w5y8a1b3e${end}`) as [
  string,
  string,
  string,
  string,
];
const rulesOf = (jobId: string) => {
  if (jobId === unknownId) return undefined;
  return jobId === patientId ? { ...byReference, openItems: { expectWithin: { after: 3_660 } } } : byReference;
};
const more = (jobId: string) => {
  if (jobId === anonymousId) return csvWithoutIds;
  return { ...ordersInCsv, ...(jobId === archivedId ? { status: 'archived' as const } : {}) };
};

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions(rulesOf, more);
});
afterAll(() => executions.stop());
const { upload, start, runOnce } = runsOfOrders(() => executions);

test('a run explains every record, accounts for every cent and opens what needs a person', async () => {
  const completed = async () => {
    const told = await (await fetch(`${executions.service.url}/metrics`)).text();
    return {
      told,
      count: Number(/^settler_execution_duration_seconds_count\{service="executions",status="completed"\} (\d+)$/m.exec(told)?.[1] ?? 0),
    };
  };
  const before = await completed();
  const execution = await runOnce();
  expect(execution).toMatchObject({ status: 'completed', jobId: ordersJobId, jobVersion: 1, attempt: 1, error: null });
  const { told, count } = await completed();
  expect(count).toBe(before.count + 1);
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
  const results = (await executions.api.get(`/v1/executions/${execution.id}/results`)).body.data;
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
  expect(invalid).toMatchObject({ category: 'invalid_record', line: 5, reason: expect.stringContaining('abc') });
  expect((await executions.api.get(`/v1/executions/${execution.id}/results?outcome=matched&limit=1`)).body).toMatchObject({
    data: [{ outcome: 'matched' }],
    nextCursor: expect.any(String),
  });
  expect((await executions.api.get(`/v1/executions/${execution.id}/results?q=P9`)).body.data).toHaveLength(1);
  expect((await executions.api.get(`/v1/executions/${execution.id}/results?minAmount=25`)).body.data).toHaveLength(2);

  const report = (await executions.api.get(`/v1/executions/${execution.id}/report`)).body;
  expect(report.certificate.holds).toBe(true);
  const euros = report.certificate.lines.find(
    (line: { side: string; currency: string }) => line.side === 'source' && line.currency === 'EUR',
  );
  expect(euros).toMatchObject({
    ingested: { count: 4, amount: '80.00' },
    accounted: { count: 4, amount: '80.00' },
    difference: { count: 0, amount: '0.00' },
  });

  const exceptions = (await executions.api.get(`/v1/exceptions?executionId=${execution.id}`)).body.data;
  expect(exceptions.map((item: { category: string }) => item.category).sort()).toEqual([
    'amount_mismatch',
    'invalid_record',
    'missing_in_source',
    'missing_in_target',
  ]);
  expect(results.filter((result: { exceptionId: string | null }) => result.exceptionId !== null)).toHaveLength(4);
  const one = await executions.api.get(`/v1/exceptions/${mismatch.exceptionId}`);
  expect(one.body).toMatchObject({
    status: 'open',
    ageDays: 0,
    comments: [],
    history: [{ action: 'opened', detail: { executionId: execution.id } }],
  });
});

test('a rerun gives the same results and opens no exception twice', async () => {
  const count = async () =>
    Number((await executions.database.query('select count(*) as n from exceptions where status = $1', ['open'])).rows[0].n);
  const first = await runOnce();
  const before = await count();
  const second = await runOnce();
  expect(await count()).toBe(before);
  const of = async (id: string) =>
    (await executions.api.get(`/v1/executions/${id}/results?limit=200`)).body.data.map(({ id: _id, ...result }: { id: string }) => result);
  expect(await of(second.id)).toEqual(await of(first.id));
});

test('the certificate is recomputed from what is stored: one corrupted row and it no longer holds', async () => {
  const execution = await runOnce();
  const corrupted = await executions.database.query(
    `update result_sums set amount_minor = amount_minor + 1 where execution_id = $1 and outcome = 'matched' and side = 'source' and currency = 'EUR'`,
    [execution.id],
  );
  expect(corrupted.rowCount).toBe(1);
  const { certificate } = (await executions.api.get(`/v1/executions/${execution.id}/report`)).body;
  expect(certificate.holds).toBe(false);
  expect(
    certificate.lines.find((line: { side: string; currency: string }) => line.side === 'source' && line.currency === 'EUR').difference,
  ).toEqual({ count: 0, amount: '-0.01' });
});

test('what may still come is open without being an exception', async () => {
  const started = await executions.api.post(`/v1/jobs/${patientId}/executions`, {
    source: { fileId: await upload(orders) },
    target: { records: payments },
  });
  const execution = await executions.over(started.body.id);
  expect(execution).toMatchObject({ status: 'completed', summary: { missingInTarget: 1, missingInSource: 1 } });
  const results = (await executions.api.get(`/v1/executions/${execution.id}/results?outcome=missing_in_target`)).body.data;
  expect(results).toMatchObject([{ source: [{ id: 'o5' }], dueOn: '2036-04-09', exceptionId: null }]);
  const exceptions = (await executions.api.get(`/v1/exceptions?jobId=${patientId}`)).body.data;
  expect(exceptions.map(({ category }: { category: string }) => category).sort()).toEqual(['amount_mismatch', 'invalid_record']);
});

test('a dry run stores no results and no exceptions, only its report', async () => {
  const execution = await runOnce(orders, payments, { dryRun: true });
  expect(execution).toMatchObject({ status: 'completed', dryRun: true, summary: { matched: 2 } });
  expect(execution.progress).toEqual({ stage: 'done', done: 6, total: 6 });
  expect((await executions.api.get(`/v1/executions/${execution.id}/results`)).body).toEqual({ data: [], nextCursor: null });
  expect((await executions.api.get(`/v1/executions/${execution.id}/report`)).body.certificate.holds).toBe(true);
  expect((await executions.api.get(`/v1/exceptions?executionId=${execution.id}`)).body.data).toEqual([]);
});

test('a dry run is in no other run’s way, and no other run in its way', async () => {
  const waits = async (id: string, status: string, isDry: boolean) =>
    executions.database.query(
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

test('a match says who came next, where somebody did', async () => {
  const two = ['w1', 'w2'].map((id, index) => ({ ...payment(id, '7.00', 'EUR', 'W'), date: `2026-05-0${index + 1}` }));
  const { id } = await runOnce(csv(['w0,7.00,EUR,2026-05-01,W']), two, { overlap: true });
  const { data } = (await executions.api.get(`/v1/executions/${id}/results?q=w0`)).body;
  const [{ outcome, target, runnerUp }] = data;
  const [other] = two.filter(({ id: name }) => name !== target[0].id);
  expect([outcome, runnerUp]).toEqual(['matched', { side: 'target', record: other, score: expect.any(Number) }]);
  const { data: rest } = (await executions.api.get(`/v1/executions/${id}/results?q=${other?.id}`)).body;
  expect(rest).toMatchObject([{ outcome: 'missing_in_source', runnerUp: null }]);
});

test('a period keeps the records whose date is in it', async () => {
  const days = csv(['d1,1.00,EUR,2026-04-01,D1', 'd2,2.00,EUR,2026-04-01,D2', 'd3,abc,EUR,2026-04-02,D3', 'd4,4.00,EUR,2026-04-02,D4']);
  const period = { from: '2026-04-01', to: '2026-04-01' };
  // Open items of earlier runs take part besides.
  const execution = await runOnce(days, [payment('q1', '1.00', 'EUR', 'D1')], { period, dryRun: true });
  const { lines } = (await executions.api.get(`/v1/executions/${execution.id}/report`)).body.certificate;
  const ingested = (side: string) =>
    lines.reduce(
      (sum: number, line: { side: string; ingested: { count: number } }) => sum + (line.side === side ? line.ingested.count : 0),
      0,
    );
  expect([ingested('source'), ingested('target')]).toEqual([3, 0]);
  expect(execution.problems).toMatchObject([{ side: 'target', code: 'no_records' }]);
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
  const unmapped = await executions.api.post(`/v1/jobs/${anonymousId}/executions`, {
    source: { fileId: await upload('reference,amount,currency,day\nR1,1.00,EUR,2026-04-01') },
    target: { fileId: await upload('reference,amount,currency\nR1,1.00,EUR') },
    ...run,
  });
  const failed = await executions.over(unmapped.body.id);
  expect(failed).toMatchObject(noDates('source'));
  expect(failed.error.message).toContain('none of the 1 records of the source');
  expect(await runOnce(undated, [without], run)).toMatchObject(noDates('target'));
  expect(await runOnce(undated, [], run)).toMatchObject({ status: 'completed' });
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
  expect((await executions.api.post(`/v1/jobs/${archivedId}/executions`, {})).body.code).toBe('conflict');
  expect((await executions.api.post(`/v1/jobs/${unknownId}/executions`, {})).status).toBe(404);
});

test('another organization sees nothing of a run, its files or its exceptions', async () => {
  const execution = await runOnce();
  const fileId = await upload(orders);
  const [exception] = (await executions.api.get('/v1/exceptions')).body.data;
  const { stranger } = executions;
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
    (await stranger.post(`/v1/jobs/${ordersJobId}/executions`, { source: { fileId }, target: { records: [] } })).body.errors,
  ).toMatchObject([{ path: 'source.fileId' }]);
  const app = new pg.Client(executions.island.databaseConfig('executions', 'app'));
  await app.connect();
  for (const table of ['files', 'executions', 'results', 'result_sums', 'result_renamings', 'exceptions'])
    expect((await app.query(`select * from ${table}`)).rowCount).toBe(0);
  await app.end();
});

test('runs are listed of one status or of several, newest first, in pages that miss none', async () => {
  const jobId = 'job_01jqv8m0c4e7r9t2w5y8a5stat';
  const statuses = ['completed', 'failed', 'cancelled', 'completed', 'cancelled', 'failed'];
  const ids: string[] = [];
  for (const status of statuses) {
    const { id } = await runOnce();
    await executions.database.query(`update executions set job_id = $2, status = $3 where id = $1`, [id, jobId, status]);
    ids.unshift(id);
  }
  const of = (...wanted: readonly string[]) => ids.filter((_, index) => wanted.includes(statuses.at(-1 - index) as string));
  const listed = async (status: string, cursor = ''): Promise<string[]> => {
    const { body } = await executions.api.get(`/v1/executions?jobId=${jobId}&limit=2&status=${status}${cursor}`);
    const page = body.data.map(({ id }: { id: string }) => id);
    return body.nextCursor === null ? page : [...page, ...(await listed(status, `&cursor=${body.nextCursor}`))];
  };
  expect(await listed('failed')).toEqual(of('failed'));
  expect(await listed('failed,cancelled,failed')).toEqual(of('cancelled', 'failed'));
  expect(await listed('queued,running')).toEqual([]);
  const message =
    'must be one of queued, running, completed, failed, cancelled, or several of them with commas between, such as queued,running';
  for (const status of ['', 'lost', 'queued,', 'queued,lost'])
    expect((await executions.api.get(`/v1/executions?status=${status}`)).body.errors).toEqual([{ path: 'status', message }]);
});

test('over is over: cancelling a run that ended is a conflict', async () => {
  const execution = await runOnce();
  expect((await executions.api.post(`/v1/executions/${execution.id}/cancel`)).body.code).toBe('conflict');
});
