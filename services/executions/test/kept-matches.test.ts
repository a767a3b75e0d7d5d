import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookingInto } from './looking-into.ts';
import { byReference, createJobs, type Executions, euro, type Fields, shareExecutions } from './running-service.ts';

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

const { holds, outcomesOf: told } = lookingInto(
  () => executions,
  () => postgres,
);

const paid = (id: string): Fields => euro(id, '10.00', { reference: 'CUST-7' });
const resultsOf = async (id: string) => (await executions.must(200, executions.api.get(`/v1/executions/${id}/results`))).data;
const openOf = async (jobId: string) =>
  (await executions.exceptionsOf(jobId, '&status=open'))
    .map(({ category, records }: { category: string; records: Fields[] }) => `${category} ${records.map(({ id }) => id).join(' ')}`)
    .sort();

describe('a record that was matched and is delivered again', () => {
  test('without its counterpart keeps its match: no other order is paid with it, and nobody is told that it is missing', async () => {
    const jobId = jobWith(byReference);
    const first = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    expect(await told(second.id)).toEqual(['matched t1', 'missing_in_target s2']);
    expect((await resultsOf(second.id)).find(({ outcome }: { outcome: string }) => outcome === 'matched')).toMatchObject({
      pass: null,
      reason: `it keeps its match in ${first.id}, whose other records are not all here`,
    });
    const third = await executions.run(jobId, [paid('s1')], []);
    expect(await told(third.id)).toEqual(['matched s1', 'missing_in_target s2']);
    expect((await executions.exceptionsOf(jobId)).map(({ records }: { records: Fields[] }) => records[0]?.['id'])).toEqual(['s2']);
    const { certificate } = await executions.must(200, executions.api.get(`/v1/executions/${second.id}/report`));
    expect(certificate.holds).toBe(true);
  });

  test('keeps it however many runs ago that was', async () => {
    const jobId = jobWith(byReference);
    const first = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    // More than are read at once.
    for (let run = 0; run < 16; run += 1) await executions.run(jobId, [euro(`s-${run}`, '1.00')], [euro(`t-${run}`, '1.00')]);
    const last = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    expect(await told(last.id)).toEqual(['matched t1', 'missing_in_target s2']);
    expect((await resultsOf(last.id)).find(({ outcome }: { outcome: string }) => outcome === 'matched').reason).toContain(first.id);
  });

  test('with it takes part like any other, by the rules of the day', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const again = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    expect(await resultsOf(again.id)).toMatchObject([{ outcome: 'matched', pass: 'by reference', reason: null }]);
    rulesOf.set(jobId, { passes: [{ name: 'by id', match: [{ field: 'id', type: 'exact' }] }] });
    const other = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    expect(await told(other.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    // What the newest run has left open is open, whatever an older one has matched.
    rulesOf.set(jobId, byReference);
    const met = await executions.run(jobId, [paid('s1'), paid('s2')], []);
    expect(await told(met.id)).toEqual(['matched s1 t1', 'missing_in_target s2']);
  });

  test('is free once a person has set it free', async () => {
    const jobId = jobWith(byReference);
    const { id } = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const [match] = await resultsOf(id);
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match.id}`));
    const freed = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    expect(await told(freed.id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
  });

  test('is known in runs that are tried and dry, as it was then', async () => {
    const jobId = jobWith(byReference);
    const first = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    await executions.run(jobId, [paid('s2')], [paid('t1')]);
    const reportOf = async (answer: ReturnType<Executions['api']['post']>) => {
      const { id } = await executions.must(202, answer);
      await executions.settled(id);
      return executions.must(200, executions.api.get(`/v1/executions/${id}/report`));
    };
    const dry = { source: { records: [paid('s3')] }, target: { records: [paid('t1')] }, dryRun: true };
    const { comparison } = await reportOf(executions.api.post(`/v1/jobs/${jobId}/executions`, dry));
    expect(comparison.diff.lines.filter(({ change }: { change: string }) => change === 'newly_matched')).toEqual([]);
    const tried = await reportOf(executions.api.post(`/v1/executions/${first.id}/try`, { rules: byReference }));
    expect(tried.comparison).toMatchObject({ matchRate: { before: 1, after: 1 }, diff: { lines: [] } });
  });

  test('is free in what is tried on a run between, once its match is undone where it is kept last', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const between = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    const last = await executions.run(jobId, [], [paid('t1')]);
    const rates = async () => {
      const { id } = await executions.must(202, executions.api.post(`/v1/executions/${between.id}/try`, { rules: byReference }));
      await executions.settled(id);
      return (await executions.must(200, executions.api.get(`/v1/executions/${id}/report`))).comparison.matchRate;
    };
    expect(await rates()).toEqual({ before: 0, after: 0 });
    const kept = (await resultsOf(last.id)).find(({ outcome }: { outcome: string }) => outcome === 'matched');
    await executions.must(204, executions.api.delete(`/v1/executions/${last.id}/matches/${kept.id}`));
    expect(await rates()).toEqual({ before: 0, after: 1 });
  });

  test('is free again once its match is undone where it is kept, and so is its counterpart', async () => {
    const jobId = jobWith(byReference);
    const first = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [], [paid('t1')]);
    const [kept] = await resultsOf(second.id);
    const [match] = await resultsOf(first.id);
    const { body: refused } = await executions.api.delete(`/v1/executions/${first.id}/matches/${match.id}`);
    expect(refused).toMatchObject({ status: 409, detail: expect.stringContaining(`${kept.id} of ${second.id}`) });
    await executions.must(204, executions.api.delete(`/v1/executions/${second.id}/matches/${kept.id}`));
    expect(await told(first.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await told(second.id)).toEqual(['missing_in_source t1']);
    expect(await openOf(jobId)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    for (const { id } of [first, second]) await holds(id);
    const removed = (await executions.messages('match.removed')).filter(({ matchId }) => [kept.id, match.id].includes(matchId));
    expect(removed.map(({ executionId }) => executionId).sort()).toEqual([first.id, second.id].sort());
    const third = await executions.run(jobId, [paid('s2')], []);
    expect(await told(third.id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
    expect(await openOf(jobId)).toEqual(['missing_in_target s1']);
  });

  test('is free with all others of its group, whichever of them keep it', async () => {
    const jobId = jobWith({
      passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
    });
    const { id: _, ...order } = euro('s', '4.00', { reference: 'p' });
    const { id: __, ...third } = euro('s3', '2.00', { reference: 'p' });
    const first = await executions.run(jobId, [order, order, third], [euro('t1', '10.00', { reference: 'p' })]);
    expect(await told(first.id)).toEqual(['matched p p p t1']);
    const second = await executions.run(jobId, [order, order] as Fields[], []);
    expect(await told(second.id)).toEqual(['matched p', 'matched p']);
    const [kept] = await resultsOf(second.id);
    await executions.must(204, executions.api.delete(`/v1/executions/${second.id}/matches/${kept.id}`));
    expect(await told(second.id)).toEqual(['missing_in_target p', 'missing_in_target p']);
    expect(await openOf(jobId)).toEqual(['missing_in_source t1', 'missing_in_target ', 'missing_in_target ', 'missing_in_target ']);
    for (const { id } of [first, second]) await holds(id);
  });

  test('is known by the match that it met after it was set free', async () => {
    const jobId = jobWith(byReference);
    const { id } = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const [match] = await resultsOf(id);
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match.id}`));
    expect(await told((await executions.run(jobId, [paid('s2')], [])).id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
    const third = await executions.run(jobId, [paid('s3')], [paid('t1')]);
    expect(await told(third.id)).toEqual(['matched t1', 'missing_in_target s1', 'missing_in_target s3']);
  });

  test('keeps no match that a later run has found to be over', async () => {
    const tolerance = { absolute: '1.00' };
    const jobId = jobWith({
      matching: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance },
      ],
    });
    const t1 = { ...paid('t1'), amount: '10.50' };
    await executions.run(jobId, [paid('s1')], [t1]);
    expect(await told((await executions.run(jobId, [paid('s1')], [t1, paid('t2')])).id)).toEqual(['matched s1 t2', 'missing_in_source t1']);
    const [{ id }] = await executions.exceptionsOf(jobId, '&status=open');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'corrected_at_source' }));
    expect(await told((await executions.run(jobId, [{ ...t1, id: 's9' }], [t1])).id)).toEqual(['matched s9 t1']);
  });

  test('is apart from all of its match once it is taken out of it where it is kept', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [paid('s1')], []);
    const [kept] = await resultsOf(second.id);
    await executions.must(204, executions.api.delete(`/v1/executions/${second.id}/matches/${kept.id}`));
    const third = await executions.run(jobId, [paid('s1')], [paid('t1')]);
    expect(await told(third.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    const fourth = await executions.run(jobId, [paid('s2')], []);
    expect(await told(fourth.id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
  });

  test('is one of as many as there were, where records have no ids', async () => {
    const jobId = jobWith(byReference);
    const coffee = { amount: '3.50', currency: 'EUR', date: '2026-04-01', reference: 'coffee' };
    await executions.run(jobId, [coffee, coffee], [coffee, coffee]);
    const again = await executions.run(jobId, [coffee, coffee, coffee], []);
    expect(await told(again.id)).toEqual(['matched coffee', 'matched coffee', 'missing_in_target coffee']);
  });

  test('is counted among those that say the same, however often they come and more of them are paid', async () => {
    const jobId = jobWith(byReference);
    const coffee = { amount: '3.50', currency: 'EUR', date: '2026-04-01', reference: 'coffee' };
    const payment = (memo: string) => ({ ...coffee, memo });
    const [kept, missing, unmet] = ['matched coffee', 'missing_in_target coffee', 'missing_in_source coffee'];
    const found = async (orders: number, ...memos: readonly string[]) => {
      const { id } = await executions.run(
        jobId,
        Array.from({ length: orders }, () => coffee),
        memos.map(payment),
      );
      await holds(id);
      return told(id);
    };
    await found(1, 'first');
    expect(await found(2)).toEqual([kept, missing]);
    expect(await found(2)).toEqual([kept, missing]);
    expect(await found(2, 'second')).toEqual([kept, 'matched coffee coffee']);
    expect(await found(2, 'third')).toEqual([kept, kept, unmet]);
    // Of those that are here with what they were matched with, the rules decide anew.
    expect(await found(3, 'second', 'third')).toEqual(['matched coffee coffee', 'matched coffee coffee', kept].sort());
    expect(await found(3)).toEqual([kept, kept, kept]);
    expect(await found(4)).toEqual([kept, kept, kept, missing]);
    expect(await executions.exceptionsOf(jobId, '&status=open')).toHaveLength(1);
  });

  test('keeps it also where another was nearly as good, which the result says', async () => {
    const amount = { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } };
    const jobId = jobWith({ minMargin: 0.1, matching: [{ field: 'reference', type: 'exact' }, amount] });
    const first = await executions.run(jobId, [paid('s1')], [paid('t1'), { ...paid('t2'), amount: '10.05' }]);
    const match = (await resultsOf(first.id)).find(({ outcome }: { outcome: string }) => outcome === 'matched');
    expect(match).toMatchObject({ target: [{ id: 't1' }], reason: expect.stringContaining('is below 0.1') });
    const second = await executions.run(jobId, [], [paid('t1')]);
    expect(await told(second.id)).toEqual(['matched t1', 'missing_in_source t2']);
  });

  test('is no open item any more, also where a run matched it that carries nothing forward', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], []);
    rulesOf.set(jobId, { ...byReference, openItems: { carryForward: false } });
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    rulesOf.set(jobId, byReference);
    expect(await told((await executions.run(jobId, [], [paid('t2')])).id)).toEqual(['missing_in_source t2']);
  });

  test('is known by each of the runs that are queued at one moment, one after another', async () => {
    const jobId = jobWith(byReference);
    const queue = (target: Fields) =>
      executions.must(
        202,
        executions.api.post(`/v1/jobs/${jobId}/executions`, {
          source: { records: [paid('s1')] },
          target: { records: [target] },
          overlap: true,
        }),
      );
    const ids = (await Promise.all(Array.from({ length: 12 }, (_, index) => queue(paid(`t${index}`))))).map(({ id }) => id as string);
    for (const id of ids) await executions.settled(id);
    const { rows } = await executions.database.query('select count(distinct created_at)::int as times from executions where job_id = $1', [
      jobId,
    ]);
    expect(rows).toEqual([{ times: ids.length }]);
    const found = await Promise.all(ids.map(told));
    expect(found.filter((results) => results.some((result) => result.startsWith('matched s1 t')))).toHaveLength(1);
  });

  test('is nobody’s to know where nothing is carried forward', async () => {
    const jobId = jobWith({ ...byReference, openItems: { carryForward: false } });
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    expect(await told(second.id)).toEqual(['matched s2 t1']);
    const { rows } = await executions.database.query('select 1 from match_keys where job_id = $1', [jobId]);
    expect(rows).toEqual([]);
  });

  test('is known of a group by each of its records', async () => {
    const jobId = jobWith({
      passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
    });
    const orders = [euro('s1', '4.00', { reference: 'p' }), euro('s2', '6.00', { reference: 'p' })];
    const payout = euro('t1', '10.00', { reference: 'p' });
    await executions.run(jobId, orders, [payout]);
    expect(await told((await executions.run(jobId, orders, [payout])).id)).toEqual(['matched s1 s2 t1']);
    const part = await executions.run(jobId, orders.slice(0, 1), [payout, euro('t2', '4.00', { reference: 'p' })]);
    expect(await told(part.id)).toEqual(['matched s1', 'matched t1', 'missing_in_source t2']);
  });
});

describe('a record that was matched and comes in another version', () => {
  test('brings back what it was matched with, and the rules decide anew', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [{ ...paid('s1'), counterparty: 'Firm' }], []);
    expect(await told(second.id)).toEqual(['matched s1 t1']);
    expect(await openOf(jobId)).toEqual([]);
    await holds(second.id);
    const third = await executions.run(jobId, [{ ...paid('s1'), counterparty: 'Firm' }], []);
    expect((await resultsOf(third.id))[0].reason).toContain(second.id);
    for (let again = 0; again < 2; again += 1) {
      const differs = await executions.run(jobId, [{ ...paid('s1'), amount: '12.00' }, euro('s2', '1.00')], []);
      expect(await told(differs.id)).toEqual(['mismatched s1 t1', 'missing_in_target s2']);
      expect(await openOf(jobId)).toEqual(['amount_mismatch s1 t1', 'missing_in_target s2']);
      await holds(differs.id);
    }
  });

  test('is no way around what is open: whichever of a pair that differs comes, both are there', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [{ ...paid('s1'), amount: '12.00' }], [paid('t1')]);
    for (const [source, target] of [
      [[], [paid('t1')]],
      [[{ ...paid('s1'), amount: '11.00' }], []],
    ] as const) {
      const again = await executions.run(jobId, [...source], [...target]);
      expect(await told(again.id)).toEqual(['mismatched s1 t1']);
      expect(await openOf(jobId)).toEqual(['amount_mismatch s1 t1']);
      await holds(again.id);
    }
    const corrected = await executions.run(jobId, [paid('s1')], []);
    expect(await told(corrected.id)).toEqual(['matched s1 t1']);
    expect(await openOf(jobId)).toEqual([]);
  });

  test('of a pair that differed and was settled is settled, whichever of the two comes, until one says something else', async () => {
    const jobId = jobWith(byReference);
    const differing = { ...paid('s1'), amount: '13.00' };
    await executions.run(jobId, [differing], [paid('t1')]);
    const [{ id: exceptionId }] = await executions.exceptionsOf(jobId, '&status=open');
    await executions.must(200, executions.api.post(`/v1/exceptions/${exceptionId}/resolve`, { resolution: 'written_off' }));
    for (const [source, target] of [
      [[], [paid('t1')]],
      [[differing], []],
      [[], [paid('t1')]],
    ] as const) {
      const again = await executions.run(jobId, [...source], [...target]);
      expect(await told(again.id)).toEqual(['mismatched s1 t1']);
      expect((await resultsOf(again.id))[0].exceptionId).toBe(exceptionId);
      expect(await openOf(jobId)).toEqual([]);
      await holds(again.id);
    }
    const met = await executions.run(jobId, [paid('s2')], [paid('t1')]);
    expect(await told(met.id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
    expect(await openOf(jobId)).toEqual(['missing_in_target s1']);

    const other = jobWith(byReference);
    await executions.run(other, [differing], [paid('t1')]);
    const [{ id }] = await executions.exceptionsOf(other, '&status=open');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'corrected_at_source' }));
    const corrected = await executions.run(other, [paid('s1')], []);
    expect(await told(corrected.id)).toEqual(['matched s1 t1']);
    await holds(corrected.id);
  });

  test('of a pair that differed, was matched by hand and taken apart again brings back the other, which may differ from it as before', async () => {
    const jobId = jobWith(byReference);
    const { id } = await executions.run(jobId, [paid('s1')], [{ ...paid('t1'), amount: '12.00' }]);
    const match = await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: ['s1'], target: ['t1'] }));
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match.id}`));
    expect(await told((await executions.run(jobId, [paid('s1')], [])).id)).toEqual(['mismatched s1 t1']);
    expect(await openOf(jobId)).toEqual(['amount_mismatch s1 t1']);
  });

  test('of a pair that differed brings back the other, also where it was matched by hand with somebody else and taken apart from that one', async () => {
    const jobId = jobWith(byReference);
    const differing = { ...paid('t1'), amount: '12.00' };
    const { id } = await executions.run(jobId, [paid('s1'), euro('s2', '50.00')], [differing]);
    const match = await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: ['s2'], target: ['t1'] }));
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match.id}`));
    expect(await told((await executions.run(jobId, [], [differing])).id)).toEqual(['mismatched s1 t1', 'missing_in_target s2']);
    expect(await openOf(jobId)).toEqual(['amount_mismatch s1 t1', 'missing_in_target s2']);
  });

  test('brings back who was settled before it came and was matched', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], []);
    const [{ id }] = await executions.exceptionsOf(jobId, '&status=open');
    await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'corrected_at_source' }));
    expect(await told((await executions.run(jobId, [paid('s1')], [paid('t1')])).id)).toEqual(['matched s1 t1']);
    const booked = await executions.run(jobId, [], [{ ...paid('t1'), counterparty: 'Firm' }]);
    expect(await told(booked.id)).toEqual(['matched s1 t1']);
    await holds(booked.id);
    expect(await openOf(jobId)).toEqual([]);
  });

  test('brings back all that it may belong to, where nobody could tell', async () => {
    const jobId = jobWith({ matching: [{ field: 'reference', type: 'exact' }], conflictResolution: 'manual-review' });
    await executions.run(jobId, [paid('s1')], [paid('t1'), paid('t2')]);
    const again = await executions.run(jobId, [{ ...paid('s1'), counterparty: 'Firm' }], []);
    expect(await told(again.id)).toEqual(['ambiguous s1 t1 t2']);
    expect(await openOf(jobId)).toEqual(['ambiguous s1 t1 t2']);
    await holds(again.id);
  });

  test('leaves both open where they do not belong together any more, and each may meet others', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const second = await executions.run(jobId, [{ ...paid('s1'), reference: 'CUST-8' }], []);
    expect(await told(second.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await openOf(jobId)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    await holds(second.id);
    const third = await executions.run(jobId, [paid('s2')], []);
    expect(await told(third.id)).toEqual(['matched s2 t1', 'missing_in_target s1']);
    expect(await openOf(jobId)).toEqual(['missing_in_target s1']);
  });

  test('brings back nobody who is somewhere else by now, or was settled', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    await executions.run(jobId, [{ ...paid('s1'), reference: 'CUST-8' }], []);
    for (const { id } of await executions.exceptionsOf(jobId, '&status=open'))
      await executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    const settled = await executions.run(jobId, [{ ...paid('s1'), counterparty: 'Firm' }], []);
    expect(await told(settled.id)).toEqual(['missing_in_target s1']);

    const other = jobWith(byReference);
    await executions.run(other, [paid('s1')], [paid('t1')]);
    rulesOf.set(other, { passes: [{ name: 'by counterparty', match: [{ field: 'counterparty', type: 'exact' }] }] });
    await executions.run(other, [paid('s1'), { ...paid('s2'), counterparty: 'Firm' }], [{ ...paid('t1'), counterparty: 'Firm' }]);
    rulesOf.set(other, byReference);
    const moved = await executions.run(other, [{ ...paid('s1'), counterparty: 'Shop' }], []);
    expect(await told(moved.id)).toEqual(['missing_in_target s1']);
  });

  test('brings back a group, without ids too, but for those that are delivered', async () => {
    const jobId = jobWith({
      passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
    });
    const [s1, s2] = [euro('s1', '4.00', { reference: 'p' }), euro('s2', '6.00', { reference: 'p' })];
    const { id: _, ...payout } = euro('t1', '10.00', { reference: 'p' });
    await executions.run(jobId, [s1, s2], [payout]);
    const changed = { ...s1, counterparty: 'Firm' };
    expect(await told((await executions.run(jobId, [changed], [])).id)).toEqual(['matched s1 s2 p']);
    const again = await executions.run(jobId, [{ ...changed, counterparty: 'Shop' }], [payout]);
    expect(await told(again.id)).toEqual(['matched s1 s2 p']);
    await holds(again.id);
  });

  test('does so in dry runs too, and takes part in those that are tried', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [paid('s1')], [paid('t1')]);
    const changed = { ...paid('s1'), counterparty: 'Firm' };
    const reportOf = async (answer: ReturnType<Executions['api']['post']>) => {
      const { id } = await executions.must(202, answer);
      await executions.settled(id);
      return executions.must(200, executions.api.get(`/v1/executions/${id}/report`));
    };
    const dry = { source: { records: [changed] }, target: { records: [] }, dryRun: true };
    const { outcomes } = await reportOf(executions.api.post(`/v1/jobs/${jobId}/executions`, dry));
    expect(new Set(outcomes.map(({ outcome }: { outcome: string }) => outcome))).toEqual(new Set(['matched']));
    const second = await executions.run(jobId, [changed], []);
    const tried = await reportOf(executions.api.post(`/v1/executions/${second.id}/try`, { rules: byReference }));
    expect(tried.comparison).toMatchObject({ matchRate: { before: 1, after: 1 }, diff: { lines: [] } });
  });
});
