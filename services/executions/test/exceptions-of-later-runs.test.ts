import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { questionsOf } from './exception-questions.ts';
import { byReference, createJobs, type Executions, euro, type Fields, flagging, forgetful, startExecutions } from './running-service.ts';

const payouts = {
  passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
};
const unsure = { ...byReference, conflictResolution: 'manual-review', minMargin: 0.1 };

const { rulesOf, jobWith } = createJobs();

let executions: Executions;
beforeAll(async () => {
  executions = await startExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions?.stop());
const { exceptionsOf, standing, exceptionFor, resultsOf, outcomesOf, undo } = questionsOf(() => executions);

const [s1, t1] = [euro('s1', '10.00'), euro('t1', '10.00')];

describe('an open exception', () => {
  test('of a duplicate is settled by the run that matches it once the match of the other copy is undone', async () => {
    const jobId = jobWith(flagging);
    const copy = euro('s2', '10.00', { reference: '1' });
    const rerun = () => executions.run(jobId, [s1, copy], [t1]);
    const first = await rerun();
    expect(await outcomesOf(first.id)).toEqual(['duplicate s2', 'matched s1 t1']);
    await undo(first.id);
    expect(await standing(jobId)).toEqual(['open duplicate s2', 'open missing_in_source t1', 'open missing_in_target s1']);

    const second = await rerun();
    expect(await outcomesOf(second.id)).toEqual(['duplicate s1', 'matched s2 t1']);
    expect(await standing(jobId)).toEqual(['matched_later duplicate s2', 'matched_later missing_in_source t1', 'open duplicate s1']);
    expect((await exceptionFor(jobId, 's2')).history.at(-1)).toMatchObject({
      action: 'resolved',
      actor: { type: 'system' },
      detail: { resolution: 'matched_later', executionId: second.id, outcome: 'matched' },
    });
    await undo(second.id);
    const third = await rerun();
    // The one that has been open is missing, and the other one repeats it still.
    expect(await outcomesOf(third.id)).toEqual(['duplicate s1', 'missing_in_source t1', 'missing_in_target s2']);
    expect(
      (await exceptionsOf(jobId, '&status=open')).map(({ category, records: [record] }) => `${category} ${record?.['id']}`).sort(),
    ).toEqual(['duplicate s1', 'missing_in_source t1', 'missing_in_target s2']);
  });

  test('of a duplicate stays as it is while another record that says the same is matched', async () => {
    const jobId = jobWith(flagging);
    const [order, payment] = [s1, t1].map(({ id: _, ...anonymous }) => anonymous as Fields);
    for (const [source, target] of [
      [[order, order], [payment]],
      [[s1, s1], [t1]],
    ] as [Fields[], Fields[]][]) {
      await executions.run(jobId, source, target);
      const opened = await exceptionsOf(jobId);
      const again = await executions.run(jobId, source, target);
      expect(again.summary).toMatchObject({ matched: 1, duplicates: 1 });
      expect(await exceptionsOf(jobId)).toEqual(opened);
    }
    expect(await standing(jobId)).toEqual(['open duplicate 1', 'open duplicate s1']);
  });

  test('is what the results of each run about its record point at, as is the decision once there is one', async () => {
    const jobId = jobWith(forgetful);
    const [dismissed, byHand] = [euro('s2', '20.00'), euro('s3', '30.00')];
    const counterpart = euro('t9', '90.00');
    const pointsAt = async (executionId: string) =>
      Object.fromEntries(
        (await resultsOf(executionId)).map(({ source, target, exceptionId }) => [
          [...source, ...target].map(({ id }) => id).join(),
          exceptionId,
        ]),
      );
    const idOf = async (record: string) => (await exceptionFor(jobId, record)).id;
    const first = await executions.run(jobId, [s1, dismissed, byHand], [counterpart]);
    const opened = { s1: await idOf('s1'), s2: await idOf('s2'), s3: await idOf('s3'), t9: await idOf('t9') };
    expect(await pointsAt(first.id)).toEqual(opened);
    for (const { id, source, target } of await resultsOf(first.id)) {
      const [about] = [...source, ...target];
      const { history } = await exceptionFor(jobId, String(about?.['id']));
      expect(history).toMatchObject([{ action: 'opened', detail: { executionId: first.id, resultId: id } }]);
    }
    await executions.must(200, executions.api.patch(`/v1/exceptions/${opened.s2}`, { status: 'dismissed' }));
    await executions.must(201, executions.api.post(`/v1/executions/${first.id}/matches`, { source: ['s3'], target: ['t9'] }));
    const second = await executions.run(jobId, [s1, dismissed, byHand], []);
    expect(await pointsAt(second.id)).toEqual({ s1: opened.s1, s2: opened.s2, s3: opened.s3 });
  });

  test('is not opened for what was matched by hand before it was due, and results point at none', async () => {
    const jobId = jobWith({ ...byReference, openItems: { carryForward: false, expectWithin: { after: 3_660 } } });
    const first = await executions.run(jobId, [s1], [euro('t9', '90.00')]);
    await executions.must(201, executions.api.post(`/v1/executions/${first.id}/matches`, { source: ['s1'], target: ['t9'] }));
    rulesOf.set(jobId, forgetful);
    const second = await executions.run(jobId, [s1], []);
    expect(await resultsOf(second.id)).toMatchObject([{ outcome: 'missing_in_target', exceptionId: null }]);
    expect(await exceptionsOf(jobId)).toEqual([]);
  });

  test('is not opened for what a match that was undone sets free before it is due', async () => {
    const jobId = jobWith({ ...byReference, openItems: { expectWithin: { after: 3_660 } } });
    const { id } = await executions.run(jobId, [s1], [euro('t1', s1['amount'] as string)]);
    const [match] = await resultsOf(id);
    expect(match?.outcome).toBe('matched');
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match?.id}`));
    const free = [
      { outcome: 'missing_in_target', dueOn: '2036-04-08', exceptionId: null },
      { outcome: 'missing_in_source', dueOn: '2036-04-08', exceptionId: null },
    ];
    expect(await resultsOf(id)).toMatchObject(free);
    const later = await executions.run(jobId, [], []);
    expect(await resultsOf(later.id)).toMatchObject(free);
    expect(await exceptionsOf(jobId)).toEqual([]);
  });

  test('of a pair that is parted before its records are due is about the first of them, and no more about the other', async () => {
    for (const openItems of [{}, { carryForward: false }]) {
      const jobId = jobWith({ ...byReference, openItems: { ...openItems, expectWithin: { after: 3_660 } } });
      const differing = euro('t1', '12.00');
      await executions.run(jobId, [s1], [differing]);
      const { id: pair } = await exceptionFor(jobId, 's1', 't1');
      const parted = await executions.run(jobId, [s1], [{ ...differing, reference: 'other' }]);
      expect(await standing(jobId)).toEqual(['open missing_in_target s1']);
      expect(await exceptionFor(jobId, 's1')).toMatchObject({ id: pair, amount: '10.00', history: [{}, { action: 'record_changed' }] });
      expect(await resultsOf(parted.id)).toMatchObject([
        { outcome: 'missing_in_target', exceptionId: pair },
        { outcome: 'missing_in_source', exceptionId: null },
      ]);
      await executions.run(jobId, [euro('s2', '15.00', { reference: 'other' })], [{ ...differing, reference: 'other' }]);
      expect(await standing(jobId)).toEqual(['open amount_mismatch s2 t1', 'open missing_in_target s1']);
    }
  });

  test('says what its record says now, also where that is not due yet', async () => {
    const jobId = jobWith({ ...byReference, openItems: { expectWithin: { after: 30 } } });
    await executions.run(jobId, [s1], []);
    expect(await standing(jobId)).toEqual(['open missing_in_target s1']);
    const rebooked = { ...s1, amount: '11.00', date: new Date().toISOString().slice(0, 10) };
    const { id } = await executions.run(jobId, [rebooked], []);
    const exception = await exceptionFor(jobId, 's1');
    expect(exception).toMatchObject({ amount: '11.00', records: [rebooked] });
    expect(await resultsOf(id)).toMatchObject([{ dueOn: expect.any(String), exceptionId: exception.id }]);
  });

  test('has been waiting since its record was left open, by whichever run that was', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [s1], []);
    // As if it had not been due yet.
    await executions.database.query('delete from exceptions where job_id = $1', [jobId]);
    const at = new Date('2026-02-03T04:05:06.789Z');
    await executions.database.query('update open_items set first_seen_at = $2 where job_id = $1', [jobId, at]);
    await executions.run(jobId, [euro('s2', '20.00')], []);
    expect((await exceptionFor(jobId, 's1')).firstSeenAt).toBe(at.toISOString());
    expect((await exceptionFor(jobId, 's2')).firstSeenAt > at.toISOString()).toBe(true);
  });

  test('is one for each of thousands of records, and for each once, however often they come', async () => {
    const jobId = jobWith(forgetful);
    const count = 2_300;
    const all = Array.from({ length: count }, (_, index) => euro(`s${index}`, '10.00'));
    const matched = [euro('t7', '10.00'), euro('t1234', '10.00')];
    for (let turn = 0; turn < 2; turn += 1) {
      const run = await executions.run(jobId, all, matched);
      const { rows } = await executions.database.query(
        `select count(*)::int as missing, count(distinct e.id)::int as opened,
                count(*) filter (where e.records -> 0 ->> 'id' = r.source::json -> 0 ->> 'id')::int as linked
           from results r left join exceptions e on e.id = r.exception_id
          where r.execution_id = $1 and r.outcome = 'missing_in_target'`,
        [run.id],
      );
      expect(rows).toEqual([{ missing: count - 2, opened: count - 2, linked: count - 2 }]);
    }
    const { rows } = await executions.database.query('select count(*)::int as opened from exceptions where job_id = $1', [jobId]);
    expect(rows).toEqual([{ opened: count - 2 }]);
  });

  test('is resolved by the run that matches its record, whether or not open items are carried', async () => {
    const jobId = jobWith(forgetful);
    await executions.run(jobId, [s1, euro('s2', '20.00'), euro('s3', '30.00')], [euro('t4', '40.00'), euro('t5', '50.00', { id: 's2' })]);
    const { id: executionId } = await executions.run(
      jobId,
      [s1, euro('s2', '20.00'), euro('s4', '40.00')],
      [t1, euro('t2', '21.00'), euro('t4', '40.00')],
    );
    expect(await standing(jobId)).toEqual([
      'matched_later missing_in_source t4',
      'matched_later missing_in_target s1',
      'matched_later missing_in_target s2',
      'open amount_mismatch s2 t2',
      // The target record that is called as an order is.
      'open missing_in_source s2',
      'open missing_in_target s3',
    ]);
    const resolved = await exceptionFor(jobId, 's1');
    expect(resolved.history.at(-1)).toMatchObject({ action: 'resolved', detail: { executionId, outcome: 'matched' } });
    expect((await exceptionFor(jobId, 't4')).history.at(-1).detail).toMatchObject({ executionId, outcome: 'matched' });
    const told = (await executions.messages('exception.resolved')).filter((event) => event.jobId === jobId);
    expect(told.map((event) => event.executionId)).toEqual([executionId, executionId, executionId]);
    expect(told.map(({ exceptionId }) => exceptionId)).toContain(resolved.id);
    const [ended] = (await executions.messages('audit.recorded')).filter(
      ({ action, resource }) => action === 'execution.completed' && resource.id === executionId,
    );
    expect(ended.after).toMatchObject({ exceptionsOpened: 1, exceptionsResolved: 3 });
  });

  test('of an open item that is too old to take part is resolved when it is delivered again and matched', async () => {
    const jobId = jobWith({ ...byReference, openItems: { maxAgeDays: 1 } });
    await executions.run(jobId, [s1], []);
    await executions.database.query(`update open_items set first_seen_at = now() - interval '3 days' where job_id = $1`, [jobId]);
    await executions.run(jobId, [], [t1]);
    expect(await standing(jobId)).toEqual(['open missing_in_source t1', 'open missing_in_target s1']);
    await executions.run(jobId, [s1], []);
    expect(await standing(jobId)).toEqual(['matched_later missing_in_source t1', 'matched_later missing_in_target s1']);
  });

  test('without ids is resolved by the run that matches what it says', async () => {
    const jobId = jobWith(forgetful);
    const [order, payment] = [s1, t1].map(({ id: _, ...anonymous }) => anonymous as Fields);
    await executions.run(jobId, [order as Fields], []);
    await executions.run(jobId, [order as Fields], [payment as Fields]);
    expect(await standing(jobId)).toEqual(['matched_later missing_in_target 1']);
  });

  test('that was known by its line is known by its id once the database is migrated', async () => {
    const jobId = jobWith(byReference);
    const twice = () => executions.run(jobId, [s1, { ...s1, amount: '11.00' }], []);
    await twice();
    const { database, island } = executions;
    // Then they had one exception, which was about the first of them.
    await database.query(`delete from exceptions where job_id = $1 and record_key like '%#2'`, [jobId]);
    const [exception] = await exceptionsOf(jobId);
    await database.query(`update exceptions set record_key = 'invalid:3:source:s1' where id = $1`, [exception?.id]);
    await database.query(`delete from kysely_migration where name >= '0024'`);
    await island.provision('executions');
    await twice();
    const known = await exceptionsOf(jobId);
    expect(known.map(({ amount }) => amount).sort()).toEqual(['10.00', '11.00']);
    expect(known.find(({ amount }) => amount === '10.00')?.id).toBe(exception?.id);
  });

  test('of an id that could be taken for two is its own, and stays so once the database is migrated', async () => {
    const jobId = jobWith(byReference);
    const differing = { ...t1, amount: '12.00' };
    const run = () =>
      executions.run(jobId, [s1, ...['s1|target:t1', 'one,other'].map((id) => ({ ...euro(id, '5.00'), reference: id }))], [differing]);
    await run();
    const found = ['open amount_mismatch s1 t1', 'open missing_in_target one,other', 'open missing_in_target s1|target:t1'];
    expect(await standing(jobId)).toEqual(found);
    const { database, island } = executions;
    for (const table of ['open_items', 'exceptions']) {
      const { rowCount } = await database.query(
        `update ${table} set record_key = 'source:one,other' where record_key = 'source:one%2Cother'`,
      );
      expect(rowCount).toBe(1);
    }
    await database.query(`delete from kysely_migration where name >= '0025'`);
    await island.provision('executions');
    await run();
    expect(await standing(jobId)).toEqual(found);
  });

  test('of rows that contradict each other under one id is of each, with its own amount, and stays so', async () => {
    const jobId = jobWith(byReference);
    const run = () =>
      executions.run(
        jobId,
        [
          { ...s1, amount: '1.00' },
          { ...s1, amount: '9000.00', date: '2026-05-01' },
        ],
        [],
      );
    const told = async () =>
      (await exceptionsOf(jobId)).map(({ id, amount, severity, status }) => `${id} ${amount} ${severity} ${status}`).sort();
    const { id } = await run();
    const found = await told();
    expect(found.map((one) => one.replace(/^\S+ /, '')).sort()).toEqual(['1.00 medium open', '9000.00 high open']);
    expect(new Set((await resultsOf(id)).map(({ exceptionId }) => exceptionId)).size).toBe(2);
    await run();
    expect(await told()).toEqual(found);
    const small = found.find((one) => one.includes(' 1.00 '))?.split(' ')[0];
    await executions.must(200, executions.api.post(`/v1/exceptions/${small}/resolve`, { resolution: 'written_off' }));
    await run();
    expect(await told()).toEqual(found.map((one) => (one.includes(' 1.00 ') ? one.replace('open', 'resolved') : one)));
  });

  test('of what contradicted itself follows the record that is missing, and is resolved by the run that matches it', async () => {
    const jobId = jobWith(byReference);
    const twice = await executions.run(jobId, [s1, { ...s1, amount: '11.00' }], []);
    expect(twice.summary).toMatchObject({ invalid: 2 });
    expect(await standing(jobId)).toEqual(['open invalid_record s1', 'open invalid_record s1']);
    // The other of them is all that tells of a row that nobody has taken back.
    await executions.run(jobId, [s1], []);
    expect(await standing(jobId)).toEqual(['open invalid_record s1', 'open missing_in_target s1']);
    await executions.run(jobId, [s1, { ...s1, amount: '11.00' }], [{ ...t1, reference: 'other' }]);
    expect(await standing(jobId)).toEqual([
      ...['open invalid_record s1', 'open invalid_record s1'],
      ...['open missing_in_source t1', 'open missing_in_target s1'],
    ]);
    await executions.run(jobId, [s1], [t1]);
    expect(await standing(jobId)).toEqual([
      ...['matched_later invalid_record s1', 'matched_later invalid_record s1'],
      'matched_later missing_in_source t1',
      'matched_later missing_in_target s1',
    ]);
  });

  test('of a group is resolved once all of its records are accounted for, and not before', async () => {
    const jobId = jobWith(payouts);
    const order = (id: string, amount: string) => euro(id, amount, { reference: 'p' });
    const payout = euro('t1', '30.00', { reference: 'p' });
    await executions.run(jobId, [order('b', '10.00'), order('c', '15.00')], [payout]);
    await executions.run(jobId, [order('c', '15.00')], [{ ...payout, amount: '15.00' }]);
    expect(await standing(jobId)).toEqual(['open amount_mismatch b c t1']);
    await executions.run(jobId, [order('a', '5.00'), order('b', '10.00'), order('c', '15.00')], [payout]);
    expect(await standing(jobId)).toEqual(['matched_later amount_mismatch b c t1']);
  });

  describe('of a pair that differed', () => {
    const [s2, t2] = [euro('s2', '20.00'), euro('t2', '21.00')];
    const apart = { ...t2, reference: 'other' };

    test('is about the first of the two once a run has found neither for the other', async () => {
      const jobId = jobWith(byReference);
      await executions.run(jobId, [s2], [t2]);
      const [differing] = await exceptionsOf(jobId);
      const { id: executionId } = await executions.run(jobId, [s2], [apart]);
      expect(await standing(jobId)).toEqual(['open missing_in_source t2', 'open missing_in_target s2']);
      const renamed = await exceptionFor(jobId, 's2');
      expect([renamed.id, renamed.history.at(-1)]).toMatchObject([
        differing?.id,
        { action: 'record_changed', detail: { executionId, from: { category: 'amount_mismatch' }, to: { category: 'missing_in_target' } } },
      ]);
      await executions.run(jobId, [], [euro('t3', '20.00', { reference: '2' })]);
      expect(await standing(jobId)).toEqual(['matched_later missing_in_target s2', 'open missing_in_source t2']);
    });

    test('stays while one of the two is in no run, and is about the first when the other comes for itself', async () => {
      const jobId = jobWith(byReference);
      await executions.run(jobId, [s2], [t2]);
      const [differing] = await exceptionsOf(jobId);
      await executions.run(jobId, [s2], []);
      expect(await standing(jobId)).toEqual(['open amount_mismatch s2 t2']);
      await executions.run(jobId, [], [apart]);
      expect(await standing(jobId)).toEqual(['open missing_in_source t2', 'open missing_in_target s2']);
      expect((await exceptionFor(jobId, 's2')).id).toBe(differing?.id);
    });

    test('stays while one of the two is in no run of a job that carries nothing forward, and is about the one that has no exception yet once both are', async () => {
      const jobId = jobWith({ ...byReference, openItems: { carryForward: false } });
      await executions.run(jobId, [s2], [t2]);
      const [differing] = await exceptionsOf(jobId);
      await executions.run(jobId, [s2], []);
      expect(await standing(jobId)).toEqual(['open amount_mismatch s2 t2', 'open missing_in_target s2']);
      await executions.run(jobId, [s2], [apart]);
      expect(await standing(jobId)).toEqual(['open missing_in_source t2', 'open missing_in_target s2']);
      expect((await exceptionFor(jobId, 't2')).id).toBe(differing?.id);
    });
  });

  test('of what could be several is resolved once one of them is taken and the others have exceptions of their own', async () => {
    const jobId = jobWith(unsure);
    const other = euro('u1', '10.00', { reference: '1' });
    await executions.run(jobId, [s1], [t1, other]);
    expect(await standing(jobId)).toEqual(['open ambiguous s1 t1 u1']);
    await executions.run(jobId, [s1], [t1, { ...other, reference: '9' }]);
    expect(await standing(jobId)).toEqual(['matched_later ambiguous s1 t1 u1', 'open missing_in_source u1']);
  });
});

describe('undoing a match that is out of date', () => {
  test('is refused while the newest run has one of its records in another match, which names itself', async () => {
    const jobId = jobWith(byReference);
    const first = await executions.run(jobId, [s1], [t1]);
    const [match] = await resultsOf(first.id);
    const second = await executions.run(
      jobId,
      [s1],
      [euro('t1', '10.00', { reference: 'other' }), euro('t2', '10.00', { reference: '1' })],
    );
    const current = (await resultsOf(second.id)).find(({ outcome }) => outcome === 'matched');
    const refused = await executions.must(409, executions.api.delete(`/v1/executions/${first.id}/matches/${match?.id}`));
    expect(refused.detail).toContain(`${current?.id} of ${second.id}`);
    expect(await standing(jobId)).toEqual(['open missing_in_source t1']);
    await undo(second.id);
    expect(await standing(jobId)).toEqual(['open missing_in_source t1', 'open missing_in_source t2', 'open missing_in_target s1']);
  });
});

describe('a record that was carried', () => {
  test('and could be one of several is no open item any more: what is decided about it stays', async () => {
    const jobId = jobWith(unsure);
    await executions.run(jobId, [s1], []);
    await executions.run(jobId, [], [t1, euro('t2', '10.00', { reference: '1' })]);
    expect(await standing(jobId)).toEqual(['matched_later missing_in_target s1', 'open ambiguous s1 t1 t2']);
    const { id } = await exceptionFor(jobId, 's1', 't1', 't2');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    await executions.run(jobId, [], []);
    const decided = ['matched_later missing_in_target s1', 'written_off ambiguous s1 t1 t2'];
    expect(await standing(jobId)).toEqual(decided);
    const last = await executions.run(jobId, [euro('s2', '10.00', { reference: '1' })], [euro('t3', '10.00', { reference: '1' })]);
    expect(await outcomesOf(last.id)).toEqual(['matched s2 t3']);
    expect(await standing(jobId)).toEqual(decided);
  });
});

describe('a match by hand of which one record changes', () => {
  test('leaves the other one open, also where the run has nothing of it', async () => {
    for (const rules of [byReference, forgetful]) {
      const jobId = jobWith(rules);
      const first = await executions.run(jobId, [s1], [euro('t9', '12.00', { reference: 'other' })]);
      await executions.must(201, executions.api.post(`/v1/executions/${first.id}/matches`, { source: ['s1'], target: ['t9'] }));
      expect(await standing(jobId)).toEqual(['matched_manually missing_in_source t9', 'matched_manually missing_in_target s1']);
      await executions.run(jobId, [{ ...s1, amount: '11.00' }], []);
      const left = ['matched_manually missing_in_target s1', 'open missing_in_source t9', 'open missing_in_target s1'];
      expect(await standing(jobId)).toEqual(left);
      expect((await exceptionFor(jobId, 't9')).history.at(-1)).toMatchObject({ action: 'reopened', actor: { type: 'system' } });
      await executions.run(jobId, [], []);
      expect(await standing(jobId)).toEqual(left);
    }
  });
});
