import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exceptionAnswer } from '../src/routes/exceptions.ts';
import { lookingInto, manualReview } from './looking-into.ts';
import { byReference, createJobs, type Executions, euro, type Fields, organizationId, shareExecutions } from './running-service.ts';

const approval = { above: { EUR: '100.00' } };
const rules = {
  pairs: { ...byReference, approval },
  groups: {
    passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
    approval,
  },
  forgetful: { ...byReference, openItems: { carryForward: false }, approval },
};

const { rulesOf, jobWith } = createJobs();

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf.get(jobId));
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres?.close();
  await executions?.stop();
});

const { resultsOf, holds, stored, itemsOf } = lookingInto(
  () => executions,
  () => postgres,
);

describe('what one person may settle', () => {
  const same = (amount: string): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference: 'cash' });

  test.each<readonly [string, keyof typeof rules, readonly Fields[], readonly Fields[], string | null]>([
    ['a pair of which one side is small', 'pairs', [euro('s1', '1.00')], [euro('t1', '90000.00')], '90000.00'],
    [
      'a group of which the first is small',
      'groups',
      [euro('s1', '1.00', { reference: 'p' }), euro('s2', '90000.00', { reference: 'p' })],
      [euro('t1', '10.00', { reference: 'p' })],
      '90001.00',
    ],
    ['a record whose amount nobody knows', 'pairs', [{ id: 's1', currency: 'EUR', date: '2026-04-01', reference: '1' }], [], null],
  ])('is told by all that its records come to: %s', async (_what, named, source, target, amount) => {
    const jobId = jobWith(rules[named]);
    await executions.run(jobId, source, target);
    const [exception, ...others] = await executions.exceptionsOf(jobId);
    expect(others).toEqual([]);
    const { data } = await executions.must(
      200,
      executions.api.post('/v1/exceptions/bulk-resolve', { ids: [exception.id], resolution: 'written_off' }),
    );
    expect(data).toEqual([{ id: exception.id, status: 'open', code: 'approval_required' }]);
    const at = `/v1/exceptions/${exception.id}`;
    await executions.must(409, executions.api.patch(at, { status: 'dismissed' }));
    const waiting = await executions.must(202, executions.api.post(`${at}/resolve`, { resolution: 'written_off' }));
    expect(waiting.pendingApproval).toMatchObject({ amount, currency: amount === null ? null : 'EUR' });
  });

  test('is told as what its records come to, however many digits that has', async () => {
    const jobId = jobWith(rules.groups);
    const most = Array.from({ length: 112 }, (_, index) => euro(`s${index}`, '9007199254740991', { currency: 'JPY', reference: 'p' }));
    await executions.run(jobId, most, [euro('t1', '5', { currency: 'JPY', reference: 'p' })]);
    const [{ id }] = await executions.exceptionsOf(jobId);
    const waiting = await executions.must(202, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    const amount = '1008806316530990992';
    expect(waiting).toMatchObject({ amount, pendingApproval: { amount } });
    // By what the reference says of it.
    expect(exceptionAnswer.safeParse(waiting).error?.issues).toBeUndefined();
  });

  test.each(['pairs', 'forgetful'] as const)('is told by one of those without ids that say the same: %s', async (named) => {
    const jobId = jobWith(rules[named]);
    await executions.run(jobId, [...Array(3).fill(same('60.00')), ...Array(3).fill(same('150.00'))], []);
    const found = await executions.exceptionsOf(jobId);
    const about = (wanted: string) =>
      found.filter(({ amount }: { amount: string }) => amount === wanted).map(({ id }: { id: string }) => id);
    const ids = [about('60.00')[0], about('150.00')[0]];
    const { data } = await executions.must(200, executions.api.post('/v1/exceptions/bulk-resolve', { ids, resolution: 'written_off' }));
    expect(data).toEqual([
      { id: ids[0], status: 'resolved' },
      { id: ids[1], status: 'open', code: 'approval_required' },
    ]);
    const { pendingApproval } = await executions.must(
      202,
      executions.api.post(`/v1/exceptions/${ids[1]}/resolve`, { resolution: 'written_off' }),
    );
    expect(pendingApproval).toMatchObject({ amount: '150.00', currency: 'EUR' });
    const token = () =>
      executions.island.principalToken({
        audience: 'executions',
        organizationId,
        subject: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d9',
        scopes: ['*'],
      });
    await executions.run(jobId, Array(4).fill(same('150.00')), []);
    await executions.must(200, executions.api.as({ token }).post(`/v1/approvals/${pendingApproval.id}/approve`, {}));
    const open = await executions.exceptionsOf(jobId, '&status=open');
    expect(open.map(({ amount }: { amount: string }) => amount).sort()).toEqual(['150.00', '150.00', '150.00', '60.00', '60.00']);
  });

  test('is found among any number of others by whoever resolves many, who comes to an end', async () => {
    const jobId = jobWith(rules.forgetful);
    await executions.run(
      jobId,
      Array.from({ length: 1_001 }, (_, index) => euro(`s${index}`, '500.00')),
      [],
    );
    await executions.run(jobId, [euro('small', '5.00')], []);
    const resolve = () =>
      executions.must(
        200,
        executions.api.post('/v1/exceptions/bulk-resolve', { filter: { jobId }, resolution: 'written_off', note: 'small change' }),
      );
    const first = await resolve();
    expect(first.data).toHaveLength(1_000);
    expect([first.hasMore, first.data[0].status, first.data[1].code]).toEqual([false, 'resolved', 'approval_required']);
    const second = await resolve();
    expect([second.hasMore, new Set(second.data.map(({ code }: { code: string }) => code))]).toEqual([
      false,
      new Set(['approval_required']),
    ]);
  });

  test('is everything up to the amount, however many records it has', async () => {
    for (const [named, source, target] of [
      [
        'groups',
        [euro('s1', '40.00', { reference: 'p' }), euro('s2', '60.00', { reference: 'p' })],
        [euro('t1', '99.00', { reference: 'p' })],
      ],
      ['pairs', [same('50.00'), same('50.00')], []],
    ] as const) {
      const jobId = jobWith(rules[named]);
      await executions.run(jobId, source, target);
      const [exception] = await executions.exceptionsOf(jobId);
      await executions.must(200, executions.api.post(`/v1/exceptions/${exception.id}/resolve`, { resolution: 'written_off' }));
    }
  });
});

describe('above what one person may settle', () => {
  const ann = 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6';
  const bob = 'usr_01jqv8m0c4e7r9t2w5y8a1b3d7';
  const keyOf = (ownerId?: string) => ({ kind: 'apiKey' as const, subject: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6', ownerId });
  const as = (who: { readonly kind?: 'apiKey'; readonly subject: string; readonly ownerId?: string | undefined }) =>
    executions.api.as({ token: () => executions.island.principalToken({ audience: 'executions', organizationId, scopes: ['*'], ...who }) });
  const withLimit = async () => {
    const jobId = jobWith({ ...manualReview, approval: { above: { EUR: '25.00' } } });
    const { id } = await executions.run(jobId, [euro('s3', '30.00', { reference: 'alone' }), euro('s4', '-25.00')], [euro('t9', '29.00')]);
    const found = await executions.exceptionsOf(jobId);
    const about = (record: string) => found.find(({ records }: { records: Fields[] }) => records[0]?.['id'] === record).id as string;
    return { jobId, id: id as string, about };
  };
  const pendingFor = async (jobId: string) =>
    (await executions.must(200, executions.api.get(`/v1/approvals?jobId=${jobId}&status=pending`))).data.map(
      ({ id }: { id: string }) => id,
    );

  test('a resolution waits for another person, who is neither its maker nor a key of the maker', async () => {
    const { jobId, about } = await withLimit();
    const at = `/v1/exceptions/${about('s3')}`;
    const maker = as({ subject: ann });
    const waiting = await executions.must(202, maker.post(`${at}/resolve`, { resolution: 'written_off', note: 'lost' }));
    expect(waiting).toMatchObject({
      status: 'open',
      resolution: null,
      pendingApproval: {
        status: 'pending',
        amount: '30.00',
        currency: 'EUR',
        requestedBy: { type: 'user', id: ann },
        request: { kind: 'resolve', resolution: 'written_off', note: 'lost' },
      },
    });
    const { id } = waiting.pendingApproval;
    const approve = `/v1/approvals/${id}/approve`;
    expect((await as({ subject: bob }).post(`${at}/resolve`, { resolution: 'other' })).status).toBe(409);
    expect((await as({ subject: bob }).patch(at, { status: 'dismissed' })).status).toBe(409);
    for (const who of [{ subject: ann }, keyOf(ann), keyOf()]) expect((await as(who).post(approve, {})).status).toBe(403);
    expect((await executions.stranger.post(approve, {})).status).toBe(404);
    const tag = { headers: { 'if-match': '"7"' } };
    expect((await as({ subject: bob }).post(approve, {}, tag)).status).toBe(412);
    const answers = await Promise.all([as({ subject: bob }).post(approve, { note: 'seen' }), as(keyOf(bob)).post(approve, {})]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const resolved = await executions.must(200, maker.get(at));
    expect(resolved).toMatchObject({ status: 'resolved', resolution: 'written_off', pendingApproval: null });
    expect(resolved.history.map(({ action }: { action: string }) => action)).toEqual(['opened', 'approval_requested', 'resolved']);
    expect(await itemsOf(jobId)).toContain('s3 retired');
    const told = async (type: string) => (await executions.messages(type)).filter(({ approvalId }) => approvalId === id);
    expect(await told('approval.requested')).toMatchObject([{ status: 'pending', exceptionId: about('s3') }]);
    expect(await told('approval.decided')).toMatchObject([{ status: 'approved' }]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === id);
    expect(audited.map(({ action }) => action).sort()).toEqual(['approval.approved', 'approval.requested']);
    expect(JSON.stringify(audited)).not.toMatch(/lost|seen/);
  });

  test('what is rejected is as it was, and what says something else by then is not approved', async () => {
    const { jobId, about } = await withLimit();
    const at = `/v1/exceptions/${about('s3')}`;
    const ask = async () =>
      (await executions.must(202, as({ subject: ann }).post(`${at}/resolve`, { resolution: 'written_off' }))).pendingApproval.id;
    const rejected = await executions.must(200, as({ subject: bob }).post(`/v1/approvals/${await ask()}/reject`, { note: 'ask the bank' }));
    expect(rejected).toMatchObject({ status: 'rejected', note: 'ask the bank', decidedBy: { type: 'user', id: bob }, resultId: null });
    expect(await executions.must(200, executions.api.get(at))).toMatchObject({ status: 'open', pendingApproval: null });
    const id = await ask();
    await executions.run(jobId, [euro('s3', '3000.00', { reference: 'alone' })], []);
    expect((await as({ subject: bob }).post(`/v1/approvals/${id}/approve`, {})).body).toMatchObject({ status: 409, code: 'conflict' });
    expect(await pendingFor(jobId)).toEqual([id]);
  });

  test('whoever asked withdraws it, and nobody else; the exception may be settled anew', async () => {
    const { jobId, about } = await withLimit();
    const at = `/v1/exceptions/${about('s3')}`;
    const ask = async () =>
      (await executions.must(202, as({ subject: ann }).post(`${at}/resolve`, { resolution: 'written_off' }))).pendingApproval.id;
    const id = await ask();
    const withdraw = `/v1/approvals/${id}/withdraw`;
    for (const who of [{ subject: bob }, keyOf(bob), keyOf()]) expect((await as(who).post(withdraw, {})).body.code).toBe('forbidden');
    expect((await executions.stranger.post(withdraw, {})).status).toBe(404);
    expect((await as({ subject: ann }).post(withdraw, {}, { headers: { 'if-match': '"7"' } })).status).toBe(412);
    const answers = await Promise.all([as(keyOf(ann)).post(withdraw, { note: 'paid' }), as(keyOf(ann)).post(withdraw, { note: 'paid' })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 200)?.body).toMatchObject({
      status: 'withdrawn',
      decidedBy: { type: 'apiKey' },
      decidedAt: expect.any(String),
      note: 'paid',
      resultId: null,
    });
    expect((await as({ subject: bob }).post(`/v1/approvals/${id}/approve`, {})).body).toMatchObject({
      code: 'conflict',
      detail: 'This was withdrawn already.',
    });
    const open = await executions.must(200, executions.api.get(at));
    expect(open).toMatchObject({ status: 'open', resolution: null, pendingApproval: null });
    expect(open.history.at(-1)).toMatchObject({
      action: 'approval_withdrawn',
      actor: { type: 'apiKey' },
      detail: { approvalId: id, note: 'paid' },
    });
    expect((await executions.messages('approval.withdrawn')).filter(({ approvalId }) => approvalId === id)).toMatchObject([
      { status: 'withdrawn', exceptionId: about('s3') },
    ]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === id);
    expect(audited.map(({ action }) => action)).toEqual(['approval.requested', 'approval.withdrawn']);
    expect(JSON.stringify(audited)).not.toMatch(/paid/);
    const again = await ask();
    expect(await pendingFor(jobId)).toEqual([again]);
    await executions.must(202, as({ subject: ann }).post(`/v1/exceptions/${about('t9')}/resolve`, { resolution: 'other' }));
    const listed = async (filter: string) =>
      (await executions.must(200, executions.api.get(`/v1/approvals?${filter}`))).data.map((one: { readonly id: string }) => one.id);
    expect(await listed(`exceptionId=${about('s3')}`)).toEqual([again, id]);
    expect(await listed(`exceptionId=${about('s3')}&status=withdrawn`)).toEqual([id]);
  });

  test('a match that is withdrawn leaves its records to be matched', async () => {
    const { id } = await withLimit();
    const wanted = { source: ['s3'], target: ['t9'] };
    const waiting = await executions.must(202, as({ subject: ann }).post(`/v1/executions/${id}/matches`, wanted));
    await executions.must(200, as({ subject: ann }).post(`/v1/approvals/${waiting.id}/withdraw`));
    expect((await as({ subject: bob }).post(`/v1/executions/${id}/matches`, wanted)).status).toBe(202);
  });

  test('what a run has resolved waits for nobody', async () => {
    const { jobId, about } = await withLimit();
    const at = `/v1/exceptions/${about('s3')}`;
    const { id } = (await executions.must(202, as({ subject: ann }).post(`${at}/resolve`, { resolution: 'written_off' }))).pendingApproval;
    const run = await executions.run(jobId, [], [euro('t3', '30.00', { reference: 'alone' })]);
    const resolved = await executions.must(200, executions.api.get(at));
    expect(resolved).toMatchObject({ status: 'resolved', resolution: 'matched_later', pendingApproval: null });
    const note = `The execution ${run.id} has resolved the exception.`;
    expect(resolved.history.at(-1)).toMatchObject({
      action: 'approval_rejected',
      actor: { type: 'system' },
      detail: { approvalId: id, note },
    });
    expect(await executions.must(200, executions.api.get(`/v1/approvals/${id}`))).toMatchObject({
      status: 'rejected',
      decidedBy: { type: 'system', id: 'executions' },
      decidedAt: expect.any(String),
      note,
    });
    expect(await pendingFor(jobId)).toEqual([]);
    expect((await executions.messages('approval.decided')).filter(({ approvalId }) => approvalId === id)).toMatchObject([
      { status: 'rejected', exceptionId: about('s3') },
    ]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === id);
    expect(audited.at(-1)).toMatchObject({ action: 'approval.rejected', actor: { type: 'system', id: 'executions' } });
  });

  test('what a match by hand has resolved waits for nobody', async () => {
    const { jobId, id, about } = await withLimit();
    const at = `/v1/exceptions/${about('s3')}`;
    const writeOff = await executions.must(202, as({ subject: ann }).post(`${at}/resolve`, { resolution: 'written_off' }));
    const match = await executions.must(202, as({ subject: ann }).post(`/v1/executions/${id}/matches`, { source: ['s3'], target: ['t9'] }));
    const { resultId } = await executions.must(200, as({ subject: bob }).post(`/v1/approvals/${match.id}/approve`, {}));
    expect(await executions.must(200, executions.api.get(at))).toMatchObject({ resolution: 'matched_manually', pendingApproval: null });
    expect(await executions.must(200, executions.api.get(`/v1/approvals/${writeOff.pendingApproval.id}`))).toMatchObject({
      status: 'rejected',
      decidedBy: { type: 'system' },
      note: `The match ${resultId} has resolved the exception.`,
    });
    expect(await pendingFor(jobId)).toEqual([]);
  });

  test('up to the amount one person is enough, and many at once are no way around it', async () => {
    const { about } = await withLimit();
    const ids = [about('s3'), about('s4')];
    const { data } = await executions.must(200, executions.api.post('/v1/exceptions/bulk-resolve', { ids, resolution: 'written_off' }));
    expect(data).toEqual([
      { id: ids[0], status: 'open', code: 'approval_required' },
      { id: ids[1], status: 'resolved' },
    ]);
  });

  test('a match waits, too, and is then made by both', async () => {
    const { jobId, id } = await withLimit();
    const wanted = { source: ['s3'], target: ['t9'], note: 'one payment' };
    const before = await stored(id);
    const waiting = await executions.must(202, as({ subject: ann }).post(`/v1/executions/${id}/matches`, wanted));
    expect(waiting).toMatchObject({ amount: '30.00', request: { kind: 'match', ...wanted } });
    expect(await stored(id)).toEqual(before);
    expect((await as({ subject: bob }).post(`/v1/executions/${id}/matches`, wanted)).status).toBe(409);
    const approved = await executions.must(200, as({ subject: bob }).post(`/v1/approvals/${waiting.id}/approve`, {}));
    const made = (await resultsOf(id)).find((result) => result.id === approved.resultId);
    expect(made).toMatchObject({
      outcome: 'matched',
      manual: { by: { id: ann }, approvedBy: { type: 'user', id: bob }, note: 'one payment' },
    });
    await holds(id);
    expect(await pendingFor(jobId)).toEqual([]);
    const rerun = await executions.run(jobId, [euro('s3', '30.00', { reference: 'alone' })], [euro('t9', '29.00')]);
    expect((await resultsOf(rerun.id)).find(({ outcome }) => outcome === 'matched')).toMatchObject({ manual: { approvedBy: { id: bob } } });
  });
});
