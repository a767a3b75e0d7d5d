import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { resultsIn } from './looking-into.ts';
import { byReference, createJobs, type Executions, euro, type Fields, flagging, forgetful, startExecutions } from './running-service.ts';

const { rulesOf, jobWith } = createJobs();

let executions: Executions;
beforeAll(async () => {
  executions = await startExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions?.stop());

const cash: Fields = { amount: '60.00', currency: 'EUR', date: '2026-04-01', reference: 'cash' };
const times = (count: number, record = cash): Fields[] => Array.from({ length: count }, () => record);
const received = (id: string, more: Fields = {}) => euro(id, '60.00', { reference: 'cash', ...more });

/** By number: which of those that say the same each is about. */
const standing = async (jobId: string): Promise<string[]> => {
  const { rows } = await executions.database.query(
    `select concat_ws(' ', coalesce(substring(record_key from '#(\\d+)$')::int, 1), coalesce(resolution, status)) as told, records
       from exceptions where job_id = $1 and not records -> 0 ? 'id' order by coalesce(substring(record_key from '#(\\d+)$')::int, 1), created_at`,
    [jobId],
  );
  return rows.map(({ told }) => told);
};
const itemsOf = async (jobId: string): Promise<string[]> => {
  const { rows } = await executions.database.query(
    `select concat_ws(' ', occurrence, case when retired_at is not null then 'retired' end) as told,
            record_key like '%}' || case when occurrence > 1 then '#' || occurrence else '' end as "isCalledSo"
       from open_items where job_id = $1 and record::jsonb ->> 'id' is null order by occurrence`,
    [jobId],
  );
  expect(rows.every(({ isCalledSo }) => isCalledSo)).toBe(true);
  return rows.map(({ told }) => told);
};
const exceptionAt = async (jobId: string, number: number): Promise<string> => {
  const { rows } = await executions.database.query(
    `select id from exceptions where job_id = $1 and record_key like $2 order by created_at desc limit 1`,
    [jobId, number === 1 ? '%}' : `%}#${number}`],
  );
  return rows[0].id;
};
const { resultsOf } = resultsIn(() => executions);
const resolve = (id: string, resolution = 'written_off') =>
  executions.must(200, executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution }));
const reopen = (id: string) => executions.must(200, executions.api.post(`/v1/exceptions/${id}/reopen`));

describe('records without ids that say the same', () => {
  test.each([
    ['carried forward', byReference],
    ['not carried forward', forgetful],
  ])('have an exception each, whose amounts add up: %s', async (_how, rules) => {
    const jobId = jobWith(rules);
    for (const opened of [50, 0]) {
      const { id } = await executions.run(jobId, times(50), []);
      const missing = (await resultsOf(id)).map(({ exceptionId }) => exceptionId);
      expect([missing.length, new Set(missing).size, missing.includes(null)]).toEqual([50, 50, false]);
      const { ageing } = await executions.must(200, executions.api.get(`/v1/executions/${id}/report`));
      expect(ageing).toEqual([{ bucket: '0-7', currency: 'EUR', count: 50, amount: '3000.00' }]);
      const { data } = await executions.must(200, executions.api.get(`/v1/reports/trend?jobId=${jobId}&limit=1`));
      expect(data[0].opened.map(({ count, amount }: { count: number; amount: string }) => [count, amount])).toEqual(
        opened === 0 ? [] : [[50, '3000.00']],
      );
    }
  });

  test('are resolved one by one, as their counterparts come', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, times(3), []);
    for (const left of [2, 1]) {
      await executions.run(jobId, [], [received(`t${left}`)]);
      const items = await itemsOf(jobId);
      expect(items).toHaveLength(left);
      const open = (await standing(jobId)).filter((told) => told.endsWith('open'));
      expect(open).toEqual(items.map((number) => `${number} open`));
    }
  });

  test('are none of the other side: who is matched is not opened again for what the other side says', async () => {
    const jobId = jobWith(byReference);
    const [one, other] = [
      { ...cash, order: '2' },
      { ...cash, order: '1' },
    ];
    const first = await executions.run(jobId, [one], [one]);
    const [match] = await resultsOf(first.id);
    await executions.must(204, executions.api.delete(`/v1/executions/${first.id}/matches/${match?.id}`));
    const opened = await executions.exceptionsOf(jobId, '&status=open');
    expect(opened).toHaveLength(2);
    const { id } = await executions.run(jobId, [one, other], [other]);
    expect((await resultsOf(id)).map(({ outcome }) => outcome).sort()).toEqual(['matched', 'matched']);
    for (const { id: exceptionId } of opened)
      expect((await executions.api.post(`/v1/exceptions/${exceptionId}/reopen`)).status, exceptionId).toBe(409);
  });

  test('keep their matches while others that were open are matched later', async () => {
    for (const swap of [false, true]) {
      const jobId = jobWith(byReference);
      const run = (sources: number, targets: number) =>
        executions.run(jobId, ...((swap ? [times(targets), times(sources)] : [times(sources), times(targets)]) as [Fields[], Fields[]]));
      for (const [sources, targets] of [
        [2, 0],
        [0, 1],
      ] as const)
        await run(sources, targets);
      // Both are paid, whichever of them are delivered again, and how often.
      for (const [sources, targets] of [
        [0, 2],
        [0, 2],
        [2, 0],
        [1, 2],
      ] as const) {
        const { id } = await run(sources, targets);
        expect((await resultsOf(id)).map(({ outcome }) => outcome).filter((outcome) => outcome !== 'matched')).toEqual([]);
      }
      const { id } = await run(3, 0);
      expect((await resultsOf(id)).filter(({ outcome }) => outcome !== 'matched')).toHaveLength(1);
    }
  });

  test('are left open as they were where the same input comes again', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, times(3), [received('t1')]);
    const [first, second] = [await exceptionAt(jobId, 1), await exceptionAt(jobId, 2)];
    for (let again = 0; again < 2; again += 1) await executions.run(jobId, times(3), [received('t1')]);
    expect(await standing(jobId)).toEqual(['1 open', '2 open']);
    expect([await exceptionAt(jobId, 1), await exceptionAt(jobId, 2)]).toEqual([first, second]);
    expect(await itemsOf(jobId)).toEqual(['1', '2']);
  });

  test('are resolved one by one where nothing is carried, too, and those that a run does not bring stay', async () => {
    const jobId = jobWith(forgetful);
    await executions.run(jobId, times(4), []);
    await executions.run(jobId, times(4), [received('t1')]);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open', '4 matched_later']);
    for (let again = 0; again < 3; again += 1) {
      await executions.run(jobId, times(1), [received('t2')]);
      expect(await standing(jobId)).toEqual(['1 matched_later', '2 open', '3 open', '4 matched_later']);
    }
  });

  test.each([
    [2, 1],
    [1, 2],
    [3, 1],
    [3, 2],
    [2, 3],
  ])('are as many pairs as before where they differ and only some are delivered: %i and %i of three', async (sources, targets) => {
    const jobId = jobWith(byReference);
    const paid = { ...cash, amount: '50.00' };
    await executions.run(jobId, times(3), times(3, paid));
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    const { id } = await executions.run(jobId, times(sources), times(targets, paid));
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    expect((await resultsOf(id)).map(({ outcome }) => outcome)).toEqual(Array(Math.max(sources, targets)).fill('mismatched'));
  });

  test('are decided about one by one: what is settled stays so, and one more is a new exception', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, times(3), []);
    const second = await exceptionAt(jobId, 2);
    await resolve(second);
    expect(await itemsOf(jobId)).toEqual(['1', '2 retired', '3']);
    for (const delivered of [3, 0, 3]) await executions.run(jobId, times(delivered), []);
    expect(await standing(jobId)).toEqual(['1 open', '2 written_off', '3 open']);
    const { id } = await executions.run(jobId, times(4), []);
    expect(await standing(jobId)).toEqual(['1 open', '2 written_off', '3 open', '4 open']);
    expect(new Set((await resultsOf(id)).map(({ exceptionId }) => exceptionId)).size).toBe(4);
    await reopen(second);
    expect(await itemsOf(jobId)).toEqual(['1', '2', '3', '4']);
    await executions.run(jobId, [], []);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open', '4 open']);
  });

  test('are decided about one by one where nothing is carried, too', async () => {
    const jobId = jobWith(forgetful);
    await executions.run(jobId, times(3), []);
    await resolve(await exceptionAt(jobId, 2));
    await executions.run(jobId, times(4), []);
    expect(await standing(jobId)).toEqual(['1 open', '2 written_off', '3 open', '4 open']);
  });

  test('are resolved many at once, those and no others', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, times(5), []);
    const ids = await Promise.all([2, 5].map((number) => exceptionAt(jobId, number)));
    const { data } = await executions.must(200, executions.api.post('/v1/exceptions/bulk-resolve', { ids, resolution: 'written_off' }));
    expect(data).toEqual(ids.map((id) => ({ id, status: 'resolved' })));
    expect(await itemsOf(jobId)).toEqual(['1', '2 retired', '3', '4', '5 retired']);
    expect(await standing(jobId)).toEqual(['1 open', '2 written_off', '3 open', '4 open', '5 written_off']);
  });

  test('are reopened one by one, also where another has met its counterpart, but not one that has itself', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, times(2), []);
    const [first, second] = await Promise.all([1, 2].map((number) => exceptionAt(jobId, number)));
    await resolve(second as string);
    await executions.run(jobId, [], [received('t1')]);
    expect(await standing(jobId)).toEqual(['1 matched_later', '2 written_off']);
    await executions.must(409, executions.api.post(`/v1/exceptions/${first}/reopen`));
    await reopen(second as string);
    expect(await standing(jobId)).toEqual(['1 matched_later', '2 open']);
  });

  test('stay two where both differ from what they are paired with', async () => {
    for (const rules of [byReference, forgetful]) {
      const jobId = jobWith(rules);
      const paid = { ...cash, amount: '61.00' };
      await executions.run(jobId, times(2), times(2, paid));
      expect(await standing(jobId)).toEqual(['1 open', '2 open']);
      await resolve(await exceptionAt(jobId, 1));
      await executions.run(jobId, times(2), times(2, paid));
      expect(await standing(jobId)).toEqual(['1 written_off', '2 open']);
      await executions.run(jobId, times(1), times(1, paid));
      expect(await standing(jobId)).toEqual(['1 written_off', '2 open']);
      await executions.run(jobId, times(2), [paid, paid, cash]);
      // The second of the payments is alone now.
      expect(await standing(jobId)).toEqual(['1 written_off', '1 open', '2 matched_later']);
    }
  });

  test('are open as they were where one that was matched before is delivered again, by rules or by hand', async () => {
    for (const isByHand of [true, false]) {
      const jobId = jobWith(flagging);
      const { id } = await executions.run(jobId, times(3), [received('t1', isByHand ? { reference: 'other' } : {})]);
      const [first] = (await resultsOf(id)).filter(({ outcome }) => outcome === 'missing_in_target');
      if (isByHand)
        await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: [first?.id], target: ['t1'] }));
      const open = async () => (await standing(jobId)).filter((told) => told.endsWith('open'));
      const before = await open();
      expect(before).toHaveLength(2);
      for (let again = 0; again < 2; again += 1) {
        await executions.run(jobId, times(1), []);
        expect(await open()).toEqual(before);
      }
    }
  });

  test('stay as many where one of two pairs that differ is parted, and the other is brought back', async () => {
    const jobId = jobWith(byReference);
    const [paid, refunded] = [
      { ...cash, amount: '61.00' },
      { ...cash, amount: '61.00', note: 'refund' },
    ];
    await executions.run(jobId, times(2), times(2, paid));
    expect(await standing(jobId)).toEqual(['1 open', '2 open']);
    await executions.run(jobId, [refunded], [paid]);
    const open = async () => (await executions.exceptionsOf(jobId, '&status=open')).map(({ category }: { category: string }) => category);
    expect((await open()).sort()).toEqual(['amount_mismatch', 'missing_in_target']);
    for (const delivered of [2, 1, 2]) {
      await executions.run(jobId, times(delivered), []);
      expect((await open()).sort()).toEqual(['amount_mismatch', 'missing_in_target']);
    }
  });

  test('of a pair that is parted are no pair any more, also where whoever is alone was decided about before', async () => {
    const jobId = jobWith(byReference);
    await executions.run(jobId, [cash], []);
    await executions.must(200, executions.api.patch(`/v1/exceptions/${await exceptionAt(jobId, 1)}`, { status: 'dismissed' }));
    const payment = received('t1', { amount: '61.00' });
    await executions.run(jobId, [], [payment]);
    expect(await standing(jobId)).toEqual(['1 dismissed', '1 open']);
    await executions.run(jobId, [{ ...cash, amount: '61.00' }], [payment]);
    expect(await standing(jobId)).toEqual(['1 dismissed', '1 matched_later']);
  });

  test('of a pair that differs are brought back, also where another that says the same is open or was matched by hand before', async () => {
    for (const isMatched of [true, false]) {
      const jobId = jobWith(byReference);
      const other = received('t0', { reference: 'other' });
      const { id } = await executions.run(jobId, [cash], [other]);
      const [alone] = (await resultsOf(id)).filter(({ outcome }) => outcome === 'missing_in_target');
      if (isMatched)
        await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: [alone?.id], target: ['t0'] }));
      await executions.run(jobId, times(2), [received('t1', { amount: '61.00' })]);
      const open = async () => (await standing(jobId)).filter((told) => told.endsWith('open'));
      expect(await open()).toHaveLength(isMatched ? 1 : 2);
      await executions.run(jobId, [], [received('t1', { amount: '62.00' })]);
      expect(await open()).toHaveLength(isMatched ? 1 : 2);
      expect((await executions.exceptionsOf(jobId, '&status=open&category=amount_mismatch'))[0]).toMatchObject({
        records: [cash, { id: 't1', amount: '62.00' }],
      });
    }
  });

  test('stay as many once no rule pairs them any more: each exception is about one of its two, and the others have their own', async () => {
    const jobId = jobWith(byReference);
    const inputs = [times(3), times(3, { ...cash, amount: '61.00' })] as const;
    await executions.run(jobId, ...inputs);
    const pairs = (await executions.exceptionsOf(jobId)).map(({ id }: { id: string }) => id);
    rulesOf.set(jobId, { passes: [{ name: 'by note', match: [{ field: 'note', type: 'exact' }] }] });
    await executions.run(jobId, ...inputs);
    const open = await executions.exceptionsOf(jobId, '&status=open');
    expect(open.map(({ category }: { category: string }) => category).sort()).toEqual([
      ...Array(3).fill('missing_in_source'),
      ...Array(3).fill('missing_in_target'),
    ]);
    expect(open.map(({ id }: { id: string }) => id)).toEqual(expect.arrayContaining(pairs));
    expect(await standing(jobId)).toEqual(['1 open', '1 open', '2 open', '2 open', '3 open', '3 open']);
  });

  test('and repeat one that is missing have an exception each besides that of this one', async () => {
    const jobId = jobWith(flagging);
    for (let turn = 0; turn < 2; turn += 1) await executions.run(jobId, times(3), []);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    expect(await itemsOf(jobId)).toEqual(['1']);
    await resolve(await exceptionAt(jobId, 3), 'duplicate');
    await executions.run(jobId, times(3), []);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 duplicate']);
  });
});

describe('a match by hand of one of several that say the same', () => {
  const other = received('t9', { amount: '59.00', reference: 'other' });
  const matched = async (rules: object, number: number) => {
    const jobId = jobWith(rules);
    const { id } = await executions.run(jobId, times(3), [other]);
    const exceptionId = await exceptionAt(jobId, number);
    const result = (await resultsOf(id)).find((one) => one.exceptionId === exceptionId);
    const made = await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: [result?.id], target: ['t9'] }));
    return { jobId, id: id as string, matchId: made.id as string };
  };

  test.each([
    ['carried forward', byReference],
    ['not carried forward', forgetful],
  ])('closes the exception of that one, and its undoing opens it again: %s', async (_how, rules) => {
    const { jobId, id, matchId } = await matched(rules, 2);
    expect(await standing(jobId)).toEqual(['1 open', '2 matched_manually', '3 open']);
    for (const target of [[other], []]) {
      await executions.run(jobId, times(3), target);
      expect(await standing(jobId)).toEqual(['1 open', '2 matched_manually', '3 open']);
    }
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${matchId}`));
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    await executions.run(jobId, times(3), [other]);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
  });

  test('is of an open item, which is retired alone, and refused once more', async () => {
    const { jobId, id } = await matched(byReference, 3);
    expect(await itemsOf(jobId)).toEqual(['1', '2', '3 retired']);
    await executions.run(jobId, [], []);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 matched_manually']);
    const again = await executions.run(jobId, times(3), [received('t8', { reference: 'another' })]);
    const closed = await exceptionAt(jobId, 3);
    const [waiting] = (await resultsOf(again.id)).filter(({ exceptionId }) => exceptionId === closed || exceptionId === null);
    const refused = await executions.must(
      409,
      executions.api.post(`/v1/executions/${again.id}/matches`, { source: [waiting?.id], target: ['t8'] }),
    );
    expect(refused.detail).toContain(`matched by hand already: see`);
    expect(refused.detail).toContain(id);
  });

  test('leaves over one that is no other', async () => {
    const jobId = jobWith(byReference);
    const target = [received('t1', { amount: '61.00' })];
    const { id } = await executions.run(jobId, times(2), target);
    const alone = (await resultsOf(id)).find(({ outcome }) => outcome === 'missing_in_target');
    const made = await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: [alone?.id], target: ['t1'] }));
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await standing(jobId)).toEqual(['1 matched_manually', '1 matched_manually', '2 open']);
      expect(await itemsOf(jobId)).toEqual(['1 retired', '2']);
      await executions.run(jobId, times(2), target);
    }
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${made.id}`));
    expect((await standing(jobId)).slice(0, 2)).toEqual(['1 open', '1 open']);
  });

  test('is undone in a later run for that one alone', async () => {
    const { jobId } = await matched(byReference, 2);
    const later = await executions.run(jobId, times(3), [other]);
    const held = (await resultsOf(later.id)).find(({ outcome }) => outcome === 'matched');
    await executions.must(204, executions.api.delete(`/v1/executions/${later.id}/matches/${held?.id}`));
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    expect(await itemsOf(jobId)).toEqual(['1', '2', '3']);
  });
});

describe('undoing a match of the rules', () => {
  test.each([
    ['carried forward', byReference],
    ['not carried forward', forgetful],
  ])('opens one more where others that say the same are open: %s', async (_how, rules) => {
    const jobId = jobWith(rules);
    const { id } = await executions.run(jobId, times(3), [received('t1')]);
    expect(await standing(jobId)).toEqual(['1 open', '2 open']);
    const match = (await resultsOf(id)).find(({ outcome }) => outcome === 'matched');
    await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match?.id}`));
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
    await executions.run(jobId, times(3), [received('t1')]);
    expect(await standing(jobId)).toEqual(['1 open', '2 open', '3 open']);
  });
});

describe('a database in which they shared one exception', () => {
  test('leaves it to the first that is open, and the next run opens those of the others', async () => {
    const [three, later] = [jobWith(byReference), jobWith(byReference)];
    for (const jobId of [three, later]) await executions.run(jobId, times(3), []);
    const run = (text: string) => executions.database.query(text);
    await run(`delete from exceptions where record_key like '%}#%'`);
    await run(`update open_items set record_key = regexp_replace(record_key, '#\\d+$', '')`);
    await run(`delete from open_items where job_id = '${later}' and occurrence = 1`);
    await run('alter table results drop column occurrence');
    await run(`delete from kysely_migration where name >= '0023'`);
    const shared = await Promise.all([three, later].map(async (jobId) => (await executions.exceptionsOf(jobId))[0].id));

    await executions.island.provision('executions');
    expect(await itemsOf(later)).toEqual(['2', '3']);
    expect([await standing(three), await standing(later)]).toEqual([['1 open'], ['2 open']]);
    for (const jobId of [three, later]) await executions.run(jobId, [], []);
    expect([await standing(three), await standing(later)]).toEqual([
      ['1 open', '2 open', '3 open'],
      ['2 open', '3 open'],
    ]);
    expect([await exceptionAt(three, 1), await exceptionAt(later, 2)]).toEqual(shared);
  });
});
