import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { csvWithoutIds, runsOfOrders } from './orders-in-csv.ts';
import { byReference, createJobs, type Executions, type Fields, flagging, forgetful, shareExecutions } from './running-service.ts';

const { rulesOf, jobWith } = createJobs();
const [carryId, againId, dryId, anonymousId] = [jobWith(byReference), jobWith(byReference), jobWith(byReference), jobWith(byReference)];
const strictId = jobWith(forgetful);
const flaggingId = jobWith(flagging);

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions(
    (jobId) => rulesOf.get(jobId),
    (jobId) => (jobId === anonymousId ? csvWithoutIds : {}),
  );
});
afterAll(() => executions.stop());
const { upload } = runsOfOrders(() => executions);

interface Result {
  readonly outcome: string;
  readonly source: readonly Fields[];
  readonly target: readonly Fields[];
}

describe('what stays without counterpart', () => {
  const side = (...records: readonly (readonly [id: string, amount: string])[]) => ({
    records: records.map(([id, amount]) => ({ id, amount, currency: 'EUR', date: '2026-04-01', reference: id.slice(1) })),
  });
  const runOf = async (job: string, source: unknown, target: unknown, more = {}) => {
    const { status, body } = await executions.api.post(`/v1/jobs/${job}/executions`, { source, target, ...more });
    expect(status).toBe(202);
    return executions.over(body.id);
  };
  const outcomesOf = async ({ id }: { id: string }) =>
    (await executions.api.get(`/v1/executions/${id}/results`)).body.data.map((result: Result) => [
      result.outcome,
      result.source.map((record) => record['id'] ?? record['reference']).join(),
      result.target.map((record) => record['id'] ?? record['reference']).join(),
    ]);
  const exceptionsOf = async (job: string) => (await executions.api.get(`/v1/exceptions?jobId=${job}`)).body.data;

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
    const report = (await executions.api.get(`/v1/executions/${second.id}/report`)).body;
    expect(report.certificate).toMatchObject({ holds: true });
    const line = report.certificate.lines.find((one: { side: string }) => one.side === 'source');
    expect(line).toMatchObject({ opening: { count: 1, amount: '20.00' }, ingested: { count: 1, amount: '30.00' } });

    const resolved = (await executions.api.get(`/v1/exceptions/${exception.id}`)).body;
    expect(resolved).toMatchObject({ status: 'resolved', resolution: 'matched_later', firstSeenAt: exception.firstSeenAt });
    expect(resolved.history.at(-1)).toMatchObject({
      action: 'resolved',
      actor: { type: 'system' },
      detail: { executionId: second.id, outcome: 'matched' },
    });
    const { rows } =
      await executions.database.query(`select body::jsonb->'data' as data from outbox_sent where body::jsonb->>'type' = 'exception.resolved'
      union all select body::jsonb->'data' from outbox where body::jsonb->>'type' = 'exception.resolved'`);
    expect(rows.map(({ data }) => data)).toContainEqual(expect.objectContaining({ exceptionId: exception.id, executionId: second.id }));
    const entries = await executions.database.query('select record from open_items where job_id = $1', [carryId]);
    expect(entries.rows).toEqual([]);
  });

  test('takes part in its newest version, also in a run of a period that its day lies outside of', async () => {
    const job = jobWith(byReference);
    await runOf(job, side(['s1', '10.00']), side());
    const april2 = { period: { from: '2026-04-02', to: '2026-04-02' } };
    const ofTheDay = side(['t1', '12.00']).records.map((record) => ({ ...record, date: '2026-04-02' }));
    const corrected = await runOf(job, side(['s1', '12.00'], ['s2', '7.00']), { records: ofTheDay }, april2);
    expect(corrected.summary).toMatchObject({ source: { records: 1, amount: '12.00' }, matched: 1, missingInTarget: 0 });
  });

  test('from before its side had ids takes part besides, and the run says so', async () => {
    const job = jobWith(byReference);
    const named = side(['s1', '10.00'], ['s2', '20.00']);
    const nameless = { records: named.records.map(({ id: _, ...record }) => record) };
    await runOf(job, nameless, side());
    const again = await runOf(job, named, side(['t2', '20.00']));
    expect(again.summary).toMatchObject({ source: { records: 4 } });
    expect(again.problems).toMatchObject([{ side: 'source', code: 'items_without_id', message: expect.stringContaining('2 open items') }]);
    const settled = (await exceptionsOf(job)).filter(({ records: [record] }: { records: Fields[] }) => record?.['id'] === undefined);
    for (const { id, status } of settled)
      if (status === 'open') await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'duplicate' }));
    expect((await runOf(job, named, side(['t3', '7.00']))).problems).toEqual([]);
  });

  test('is one record when it is delivered again, in its newest version and with its first day', async () => {
    const first = await runOf(againId, side(['s1', '10.00']), side(['t9', '5.00']));
    expect(first.summary).toMatchObject({ missingInTarget: 1, missingInSource: 1 });
    const opened = await exceptionsOf(againId);
    const second = await runOf(againId, side(['s1', '12.00']), side());
    expect(second.summary).toMatchObject({ source: { records: 1, amount: '12.00' }, target: { records: 1 }, missingInTarget: 1 });
    const { certificate } = (await executions.api.get(`/v1/executions/${second.id}/report`)).body;
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

  test('is what is missing, and what says the same later repeats it', async () => {
    const again = { records: [{ id: 's1', amount: '3.00', currency: 'EUR', date: '2026-04-01', reference: '2' }] };
    await runOf(flaggingId, side(['s2', '3.00']), side());
    const second = await runOf(flaggingId, again, side());
    expect((await outcomesOf(second)).toSorted()).toEqual([
      ['duplicate', 's1', ''],
      ['missing_in_target', 's2', ''],
    ]);
    const third = await runOf(flaggingId, side(), side(['t2', '3.00']));
    expect(await outcomesOf(third)).toEqual([['matched', 's2', 't2']]);
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
    expect((await executions.api.get(`/v1/executions/${third.id}/report`)).body.certificate.holds).toBe(true);
  });
});
