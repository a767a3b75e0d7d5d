import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Exception, questionsOf } from './exception-questions.ts';
import { byReference, createJobs, type Executions, euro, type Fields, flagging, forgetful, shareExecutions } from './running-service.ts';

const { rulesOf, jobWith } = createJobs();

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions.stop());
const { exceptionsOf, exceptionFor, resultsOf, undo, reopen } = questionsOf(() => executions);

const [s1, t1] = [euro('s1', '10.00'), euro('t1', '10.00')];

describe('reopening', () => {
  const resolvedByRun = async (rules: object) => {
    const jobId = jobWith(rules);
    await executions.run(jobId, [s1], []);
    const { id: executionId } = await executions.run(jobId, [s1], [t1]);
    const { id } = await exceptionFor(jobId, 's1');
    return { jobId, executionId: executionId as string, id: id as string };
  };

  test('is refused while the record is matched, and names the match that is to be undone', async () => {
    for (const rules of [byReference, forgetful]) {
      const { jobId, executionId, id } = await resolvedByRun(rules);
      const [match] = await resultsOf(executionId);
      const refused = { status: 409, detail: `Its record is matched: undo the match ${match?.id} of ${executionId} instead.` };
      expect(await reopen(id)).toEqual(refused);
      await executions.run(jobId, [euro('s2', '20.00')], []);
      expect(await reopen(id)).toEqual(refused);
      expect((await executions.api.get(`/v1/exceptions/${id}`)).body).toMatchObject({ status: 'resolved', resolution: 'matched_later' });
    }
  });

  test('is refused for what a person had settled before its record was matched', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [s1], []);
    const { id } = await exceptionFor(jobId, 's1');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    const { id: executionId } = await executions.run(jobId, [s1], [t1]);
    expect(await reopen(id)).toMatchObject({ status: 409, detail: expect.stringContaining(executionId) });
    // Also where newer runs have nothing of it.
    for (let run = 0; run < 2; run += 1) await executions.run(jobId, [euro(`s-${run}`, '1.00')], []);
    expect(await reopen(id)).toMatchObject({ status: 409, detail: expect.stringContaining(executionId) });
  });

  test('is what it was once the match is undone, and once a later run finds the record without counterpart', async () => {
    const undone = await resolvedByRun(byReference);
    await undo(undone.executionId);
    // Undoing has opened another for the record.
    expect(await reopen(undone.id)).toMatchObject({ status: 409, detail: expect.stringContaining('newer exception') });
    const newer = (await exceptionsOf(undone.jobId, '&status=open')).find(({ records: [record] }) => record?.['id'] === 's1');
    await executions.must(200, executions.api.patch(`/v1/exceptions/${newer?.id}`, { status: 'dismissed' }));
    expect(await reopen(undone.id)).toMatchObject({ status: 'open' });

    const lost = await resolvedByRun(byReference);
    await executions.run(lost.jobId, [s1], [{ ...t1, reference: 'other' }]);
    const missing = (await exceptionsOf(lost.jobId, '&status=open')).find(({ records: [record] }) => record?.['id'] === 's1');
    await executions.must(200, executions.api.patch(`/v1/exceptions/${missing?.id}`, { status: 'dismissed' }));
    expect(await reopen(lost.id)).toMatchObject({ status: 'open' });
  });

  test('is refused while a later run has its record in another version, whatever was decided about that', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [s1], []);
    const { id } = await exceptionFor(jobId, 's1');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    await executions.run(jobId, [{ ...s1, amount: '15.00' }], [t1]);
    const pair = await exceptionFor(jobId, 's1', 't1');
    await executions.must(200, executions.api.post(`/v1/exceptions/${pair.id}/resolve`, { resolution: 'written_off' }));
    expect(await reopen(id)).toEqual({ status: 409, detail: `Its record says something else by now: work on ${pair.id} instead.` });
    expect(await reopen(pair.id)).toMatchObject({ status: 'open' });
  });

  test('of a pair is refused while one of the two is in another, and the other way, and names which', async () => {
    const openIn = async (jobId: string) =>
      (await exceptionsOf(jobId, '&status=open')).map(({ records }) => records.map((record) => record['id']).join(' ')).sort();
    const refusedFor = (id: string | undefined) => ({
      status: 409,
      detail: `Another exception is open for one of its records: work on ${id} instead.`,
    });
    const differing = { ...t1, amount: '15.00' };
    const parted = jobWith(byReference);
    await executions.run(parted, [s1], [differing]);
    const pair = await exceptionFor(parted, 's1', 't1');
    const others = [euro('s2', '16.00', { reference: '1' }), euro('t2', '11.00', { reference: '2' })] as const;
    await executions.run(parted, [{ ...s1, reference: '2' }, others[0]], [differing, others[1]]);
    expect(await openIn(parted)).toEqual(['s1 t2', 's2 t1']);
    const newer = (await exceptionsOf(parted, '&status=open')).map(({ id }) => id).sort();
    expect(await reopen(pair.id)).toEqual(refusedFor(newer[1]));
    expect(await openIn(parted)).toEqual(['s1 t2', 's2 t1']);

    const joined = jobWith(byReference);
    await executions.run(joined, [s1], []);
    const alone = await exceptionFor(joined, 's1');
    await executions.run(joined, [], [differing]);
    expect(await openIn(joined)).toEqual(['s1 t1']);
    const both = await exceptionFor(joined, 's1', 't1');
    expect(await reopen(alone.id)).toEqual(refusedFor(both.id));
    await executions.must(200, executions.api.post(`/v1/exceptions/${both.id}/resolve`, { resolution: 'other', note: 'asked' }));
    // Alone it is in no run any more, and would wait for nobody.
    expect(await reopen(alone.id)).toEqual({
      status: 409,
      detail: `Its record was found together with others: work on ${both.id} instead.`,
    });
    expect(await reopen(both.id)).toMatchObject({ status: 'open' });
    await executions.must(200, executions.api.post(`/v1/exceptions/${both.id}/resolve`, { resolution: 'other', note: 'asked' }));
    await executions.run(joined, [s1], [{ ...differing, reference: 'another' }]);
    expect((await openIn(joined)).includes('s1')).toBe(true);
    expect(await reopen(both.id)).toMatchObject({ status: 409 });
  });

  test('of a duplicate is nobody’s to refuse because the record that it repeats is matched', async () => {
    const jobId = jobWith(flagging);
    const [order, payment] = [s1, t1].map(({ id: _, ...anonymous }) => anonymous as Fields);
    await executions.run(jobId, [order, order] as Fields[], [payment as Fields]);
    const { id } = (await exceptionsOf(jobId))[0] as Exception;
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'duplicate' }));
    expect(await reopen(id)).toMatchObject({ status: 'open' });
  });
});
