import { lockWaits, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { questionsOf, userId } from './exception-questions.ts';
import { byReference, createJobs, type Executions, euro, type Fields, shareExecutions } from './running-service.ts';

const strict = { ...byReference, severity: { from: { EUR: { critical: '10.00' } }, categories: { missing_in_source: 'high' } } };
const { rulesOf, jobWith } = createJobs();
const newJobId = () => jobWith(byReference);
const strictJobId = jobWith(strict);

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions.stop());

const questions = questionsOf(() => executions);
const withOneOpen = () => questions.withOneOpen(newJobId());

describe('an exception', () => {
  test('is assigned, taken up, weighed and commented on, and remembers who did what', async () => {
    const { api, must } = executions;
    const { at, id } = await withOneOpen();
    const changed = await must(200, api.patch(at, { assigneeId: userId, status: 'in_progress', severity: 'critical' }));
    expect(changed).toMatchObject({ assigneeId: userId, status: 'in_progress', severity: 'critical' });
    const comment = await must(201, api.post(`${at}/comments`, { text: ' the bank was asked ' }));
    expect(comment).toMatchObject({ id: expect.stringMatching(/^cmt_/), text: 'the bank was asked', createdBy: { type: 'user' } });
    const back = await must(200, api.patch(at, { assigneeId: null, status: 'open' }));
    expect(back).toMatchObject({ assigneeId: null, status: 'open', severity: 'critical', comments: [comment] });
    expect(
      back.history.map(({ action, detail: { from, to } }: { action: string; detail: Record<string, unknown> }) => [action, from, to]),
    ).toEqual([
      ['opened', undefined, undefined],
      ['assigned', null, userId],
      ['severity_changed', 'low', 'critical'],
      ['status_changed', 'open', 'in_progress'],
      ['assigned', userId, null],
      ['status_changed', 'in_progress', 'open'],
    ]);
    expect(back.history.at(-1).actor).toEqual({ type: 'user', id: expect.stringMatching(/^usr_/) });
    const assigned = (await executions.messages('exception.assigned')).filter(({ exceptionId }) => exceptionId === id);
    expect(assigned.map(({ assigneeId, formerAssigneeId }) => [assigneeId, formerAssigneeId])).toEqual([
      [userId, null],
      [null, userId],
    ]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === id);
    expect(audited.map(({ action }) => action).sort()).toEqual(['exception.commented', 'exception.updated', 'exception.updated']);
    expect(JSON.stringify(audited)).not.toContain('the bank was asked');
  });

  test('is given to members alone', async () => {
    const { api, must, nonMembers } = executions;
    const { at } = await withOneOpen();
    const stranger = 'usr_01jqv8m0c4e7r9t2w5y8a1b3e9';
    nonMembers.add(stranger);
    const { status, body } = await api.patch(at, { assigneeId: stranger, severity: 'critical' });
    expect([status, body.code, body.errors]).toEqual([
      400,
      'validation_failed',
      [{ path: 'assigneeId', message: 'must be a member of the organization who is not disabled' }],
    ]);
    expect(await must(200, api.get(at))).toMatchObject({ assigneeId: null, severity: 'low' });
    nonMembers.delete(stranger);
    expect(await must(200, api.patch(at, { assigneeId: stranger }))).toMatchObject({ assigneeId: stranger });
  });

  test.each([500, 404, 302])('is given to nobody else while identity answers %i and does not say who is a member', async (answered) => {
    const { api, must, setIdentityStatus } = executions;
    const { at } = await withOneOpen();
    const { id: whoAsks } = (await must(201, api.post(`${at}/comments`, { text: 'mine' }))).createdBy;
    setIdentityStatus(answered);
    try {
      const { status, body, headers } = await api.patch(at, { assigneeId: userId });
      expect([status, body.code, headers.get('retry-after'), headers.get('x-settler-away')]).toEqual([
        503,
        'upstream_unavailable',
        '2',
        'identity',
      ]);
      // Whoever asks is a member, or would not have got here; and nobody need be one.
      expect(await must(200, api.patch(at, { assigneeId: whoAsks }))).toMatchObject({ assigneeId: whoAsks });
      expect(await must(200, api.patch(at, { assigneeId: null }))).toMatchObject({ assigneeId: null });
    } finally {
      setIdentityStatus(200);
    }
  });

  test('is as urgent as the rules of its job say, and again when its record changes', async () => {
    const severities = async () =>
      Object.fromEntries(
        (await executions.exceptionsOf(strictJobId)).map(({ severity, records }: Fields) => [(records as Fields[])[0]?.['id'], severity]),
      );
    await executions.run(strictJobId, [euro('s1', '10.00'), euro('s2', '9.99')], [euro('t3', '0.10')]);
    expect(await severities()).toEqual({ s1: 'critical', s2: 'low', t3: 'high' });
    await executions.run(strictJobId, [euro('s1', '9.00'), euro('s2', '11.00')], []);
    expect(await severities()).toMatchObject({ s1: 'low', s2: 'critical' });
  });

  test('is resolved once and reopened once, and a closed one is changed by nothing else', async () => {
    const { api, must } = executions;
    const { at, id } = await withOneOpen();
    expect((await api.post(`${at}/reopen`)).body.code).toBe('conflict');
    expect((await api.post(`${at}/resolve`, { resolution: 'matched_later' })).body.errors).toMatchObject([{ path: 'resolution' }]);
    const resolved = await must(200, api.post(`${at}/resolve`, { resolution: 'written_off', note: 'below a cent' }));
    expect(resolved).toMatchObject({ status: 'resolved', resolution: 'written_off' });
    expect(resolved.history.at(-1)).toMatchObject({ action: 'resolved', detail: { resolution: 'written_off', note: 'below a cent' } });
    expect((await api.post(`${at}/resolve`, { resolution: 'other' })).status).toBe(409);
    expect((await api.patch(at, { assigneeId: userId })).status).toBe(409);
    await must(201, api.post(`${at}/comments`, { text: 'still said' }));
    const reopened = await must(200, api.post(`${at}/reopen`));
    expect(reopened).toMatchObject({ status: 'open', resolution: null });
    expect(reopened.history.at(-1)).toMatchObject({ action: 'reopened', detail: { from: 'resolved', resolution: 'written_off' } });
    const of = async (type: string) => (await executions.messages(type)).filter(({ exceptionId }) => exceptionId === id);
    expect(await of('exception.resolved')).toMatchObject([{ executionId: null, resolution: 'written_off' }]);
    expect(await of('exception.reopened')).toMatchObject([{ status: 'open', formerResolution: 'written_off' }]);
  });

  test('is changed by whoever has read it last, and by nobody else', async () => {
    const { api } = executions;
    const { at } = await withOneOpen();
    const { headers } = await api.get(at);
    const tag = { headers: { 'if-match': headers.get('etag') ?? '' } };
    const first = await api.patch(at, { severity: 'high' }, tag);
    expect(first.status).toBe(200);
    expect((await api.patch(at, { severity: 'low' }, tag)).body.code).toBe('version_conflict');
    expect((await api.post(`${at}/resolve`, { resolution: 'other' }, tag)).status).toBe(412);
    const same = await api.patch(at, { severity: 'high' });
    expect(same.headers.get('etag')).toBe(first.headers.get('etag'));
  });

  test('is answered anew once it shows another age, to whoever knows how it was', async () => {
    const { api, database } = executions;
    const { id, at } = await withOneOpen();
    const tag = (await api.get(at)).headers.get('etag') ?? '';
    const known = { headers: { 'if-none-match': tag } };
    expect((await api.get(at, known)).status).toBe(304);
    await database.query(`update exceptions set first_seen_at = now() - interval '40 days' where id = $1`, [id]);
    expect((await api.get(at, known)).body).toMatchObject({ ageDays: 40 });
    expect((await api.patch(at, { severity: 'high' }, { headers: { 'if-match': tag } })).status).toBe(200);
  });

  test("of another organization is nobody's to touch, and its history can only be added to", async () => {
    const { stranger, api, must, database } = executions;
    const { at } = await withOneOpen();
    expect((await stranger.patch(at, { severity: 'low' })).status).toBe(404);
    expect((await stranger.post(`${at}/comments`, { text: 'mine' })).status).toBe(404);
    expect((await stranger.post(`${at}/resolve`, { resolution: 'other' })).status).toBe(404);
    expect((await stranger.post(`${at}/reopen`)).status).toBe(404);
    await must(201, api.post(`${at}/comments`, { text: 'ours' }));
    const { rows } = await database.query(
      `select table_name, string_agg(privilege_type, ' ' order by privilege_type) as may from information_schema.role_table_grants
        where table_name in ('exception_comments', 'exception_history') and grantee like '%\\_app' group by table_name order by 1`,
    );
    expect(rows).toEqual([
      { table_name: 'exception_comments', may: 'INSERT SELECT' },
      { table_name: 'exception_history', may: 'INSERT SELECT' },
    ]);
  });
});

describe('a run that ends', () => {
  test('resolves the difference of a pair that matches now, and keeps that of one that still differs', async () => {
    const { api, must } = executions;
    const jobId = newJobId();
    const orders = [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00')];
    await executions.run(jobId, orders, [euro('t1', '11.00'), euro('t2', '22.00'), euro('t3', '30.00')]);
    expect((await executions.exceptionsOf(jobId)).map(({ category }: { category: string }) => category)).toEqual([
      'amount_mismatch',
      'amount_mismatch',
    ]);
    const { id: executionId } = await executions.run(jobId, orders, [euro('t1', '10.00'), euro('t2', '22.00'), euro('t3', '30.00')]);
    const [open, ...none] = await executions.exceptionsOf(jobId, '&status=open');
    expect([open.records[0].id, none]).toEqual(['s2', []]);
    const [resolved] = await executions.exceptionsOf(jobId, '&status=resolved');
    const { resolution, history } = await must(200, api.get(`/v1/exceptions/${resolved.id}`));
    expect([resolved.records[0].id, resolution]).toEqual(['s1', 'matched_later']);
    expect(history.at(-1)).toMatchObject({ action: 'resolved', actor: { type: 'system' }, detail: { executionId, outcome: 'matched' } });
    const said = (await executions.messages('exception.resolved')).filter(({ exceptionId }) => exceptionId === resolved.id);
    expect(said).toMatchObject([{ executionId, resolution: 'matched_later' }]);
  });

  test('keeps people who settle records of its job waiting, and nobody who settles those of another', async () => {
    const { api, must, database } = executions;
    const [mine, other] = [await withOneOpen(), await withOneOpen()];
    await database.query('begin');
    await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${mine.jobId}`]);
    const settling = api.post(`${mine.at}/resolve`, { resolution: 'written_off' });
    await waitFor(async () => (await database.query(`${lockWaits} and locktype = 'advisory'`)).rowCount === 1, {
      what: 'the request to wait',
      timeoutMs: 20_000,
    });
    await must(200, api.post(`${other.at}/resolve`, { resolution: 'written_off' }));
    expect((await api.get(mine.at)).body.status).toBe('open');
    await database.query('commit');
    await must(200, settling);
    const { rows } = await database.query('select retired_at is not null as retired from open_items where job_id = $1', [mine.jobId]);
    expect(rows).toEqual([{ retired: true }]);
  });
});

describe('an exception that is open', () => {
  test('says what its record says now, keeps what a person has set, and notes each change once', async () => {
    const { api, must } = executions;
    const { jobId, id, at } = await withOneOpen();
    const again = (amount: string) => executions.run(jobId, [euro('s1', amount)], []);
    const read = async () => {
      const { amount, severity, records, history } = await must(200, api.get(at));
      return { amount, severity, of: records[0].amount, actions: history.map(({ action }: { action: string }) => action) };
    };
    await again('12000.00');
    expect(await read()).toEqual({ amount: '12000.00', severity: 'critical', of: '12000.00', actions: ['opened', 'record_changed'] });
    await must(200, api.patch(at, { severity: 'low' }));
    await again('12000.00');
    await again('13000.00');
    expect(await read()).toMatchObject({ amount: '13000.00', severity: 'low' });
    const { history } = await must(200, api.get(at));
    expect(history.map(({ action }: { action: string }) => action)).toEqual([
      'opened',
      'record_changed',
      'severity_changed',
      'record_changed',
    ]);
    expect(history.at(-1).detail).toMatchObject({ from: { amount: '12000.00' }, to: { amount: '13000.00' } });
    expect((await executions.exceptionsOf(jobId)).map((one: { id: string }) => one.id)).toEqual([id]);
  });
});

describe('what a run opens', () => {
  test('is told as one where it is much, and of a later run only what is in no exception yet', async () => {
    const { api, must, database } = executions;
    const jobId = newJobId();
    const number = 1_005;
    const orders = Array.from({ length: number }, (_, index) => euro(`s${index}`, '10.00'));
    const first = await executions.run(jobId, [...orders, { ...euro('x1', '-7.50'), currency: 'USD' }], [euro('t9999', '5.00')]);
    const told = async (type: string) => (await executions.messages(type)).filter(({ jobId: of }: { jobId: string }) => of === jobId);
    expect(await told('exception.bulk_opened')).toMatchObject([
      { executionId: first.id, count: number + 2, byCategory: { missing_in_target: number + 1, missing_in_source: 1 } },
    ]);
    expect(await told('exception.opened')).toEqual([]);
    const { rows } = await database.query('select opened from executions where id = $1', [first.id]);
    expect(rows[0].opened).toEqual([
      { category: 'missing_in_source', currency: 'EUR', count: 1, amount: '5.00' },
      { category: 'missing_in_target', currency: 'EUR', count: number, amount: '10050.00' },
      { category: 'missing_in_target', currency: 'USD', count: 1, amount: '7.50' },
    ]);

    const named = async (id: string) => (await executions.exceptionsOf(jobId, `&q=${id}`))[0];
    const [corrected, changed, open] = [await named('s1000'), await named('s1001'), await named('s1002')];
    for (const { id } of [corrected, changed])
      await must(200, api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'corrected_at_source' }));
    const again = [euro('s1000', '10.00'), euro('s1001', '11.00'), euro('s1002', '12.00'), euro('s1003', '10.00'), euro('s2000', '13.00')];
    const second = await executions.run(jobId, again, []);
    const opened = await told('exception.opened');
    expect(opened.map(({ amount }: { amount: string }) => amount).sort()).toEqual(['11.00', '13.00']);
    const { rows: linked } = await database.query(
      `select source::jsonb -> 0 ->> 'id' as record, exception_id = any($2) as before, e.execution_id as by, e.amount
         from results r left join exceptions e on e.id = exception_id
        where r.execution_id = $1 and source::jsonb -> 0 ->> 'id' = any($3) order by 1`,
      [second.id, [corrected.id, open.id], again.map(({ id }) => id)],
    );
    expect(linked).toEqual([
      { record: 's1000', before: true, by: first.id, amount: '10.00' },
      { record: 's1001', before: false, by: second.id, amount: '11.00' },
      { record: 's1002', before: true, by: first.id, amount: '12.00' },
      { record: 's1003', before: false, by: first.id, amount: '10.00' },
      { record: 's2000', before: false, by: second.id, amount: '13.00' },
    ]);
    const { rows: left } = await database.query('select from exception_drafts where execution_id = any($1)', [[first.id, second.id]]);
    expect(left).toEqual([]);
  });
});

describe('what was decided about a record', () => {
  const decided = async (resolution: string) => {
    const open = await withOneOpen();
    await executions.must(200, executions.api.post(`${open.at}/resolve`, { resolution }));
    return open;
  };

  test('stays decided while the record says the same, and a changed record is a new exception', async () => {
    const { jobId, id } = await decided('corrected_at_source');
    const same = await executions.run(jobId, [euro('s1', '10.00')], []);
    expect(same.summary).toMatchObject({ missingInTarget: 1 });
    expect(await executions.exceptionsOf(jobId, '&status=open')).toEqual([]);
    const [result] = (await executions.api.get(`/v1/executions/${same.id}/results`)).body.data;
    expect(result.exceptionId).toBe(id);

    await executions.run(jobId, [euro('s1', '11.00')], []);
    const [opened, ...others] = await executions.exceptionsOf(jobId, '&status=open');
    expect(others).toEqual([]);
    expect(opened).toMatchObject({ amount: '11.00' });
    const { history } = (await executions.api.get(`/v1/exceptions/${opened.id}`)).body;
    expect(history[0].detail.formerExceptionId).toBe(id);
    expect((await executions.api.post(`/v1/exceptions/${id}/reopen`)).body).toMatchObject({ code: 'conflict' });
    // In its new version it is an open item again, which nobody has settled.
    const met = await executions.run(jobId, [], [euro('t1', '11.00')]);
    expect(met.summary).toMatchObject({ matched: 1 });
  });

  test('a record that is written off takes part in no more runs, until its exception is reopened', async () => {
    const { jobId, at } = await decided('written_off');
    const without = await executions.run(jobId, [], [euro('t1', '10.00')]);
    expect(without.summary).toMatchObject({ matched: 0, missingInSource: 1, source: { records: 0 } });
    await executions.must(200, executions.api.post(`${at}/reopen`));
    const again = await executions.run(jobId, [], []);
    expect(again.summary).toMatchObject({ matched: 1 });
    expect((await executions.api.get(at)).body).toMatchObject({ status: 'resolved', resolution: 'matched_later' });
  });

  test('a record that is only late waits on, says nothing of it, and meets its counterpart', async () => {
    const { jobId, at } = await decided('expected_timing');
    const waiting = await executions.run(jobId, [], []);
    expect(waiting.summary).toMatchObject({ missingInTarget: 1 });
    expect(await executions.exceptionsOf(jobId, '&status=open')).toEqual([]);
    const met = await executions.run(jobId, [], [euro('t1', '10.00')]);
    expect(met.summary).toMatchObject({ matched: 1 });
    expect((await executions.api.get(at)).body).toMatchObject({ resolution: 'expected_timing' });
    expect((await executions.api.get(`/v1/executions/${met.id}/report`)).body.certificate.holds).toBe(true);
  });

  test('one that was dismissed leaves its record where it is', async () => {
    const { jobId, at, id } = await withOneOpen();
    const dismissed = await executions.must(200, executions.api.patch(at, { status: 'dismissed' }));
    expect(dismissed).toMatchObject({ status: 'dismissed', resolution: null });
    expect((await executions.messages('exception.dismissed')).map(({ exceptionId }) => exceptionId)).toEqual([id]);
    expect((await executions.run(jobId, [], [])).summary).toMatchObject({ missingInTarget: 1 });
    expect(await executions.exceptionsOf(jobId, '&status=open')).toEqual([]);
    expect((await executions.run(jobId, [], [euro('t1', '10.00')])).summary).toMatchObject({ matched: 1 });
  });

  test('a record whose counterpart came, and that comes again without it, keeps that and needs nobody', async () => {
    const { jobId, at } = await withOneOpen();
    await executions.run(jobId, [], [euro('t1', '10.00')]);
    expect((await executions.api.get(at)).body.resolution).toBe('matched_later');
    const again = await executions.run(jobId, [euro('s1', '10.00')], []);
    expect(again.summary).toMatchObject({ matched: 1, missingInTarget: 0 });
    expect(await executions.exceptionsOf(jobId, '&status=open')).toEqual([]);
  });
});
