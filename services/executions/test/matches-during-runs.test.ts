import { describe, expect, test } from 'vitest';
import { duringRun as duringRunOf } from './during-run.ts';
import { unclear } from './looking-into.ts';
import { matchedByPeople } from './matched-by-people.ts';
import { euro, type Fields } from './running-service.ts';

const { executions, newJobId, forgetful, match, undo, withUnclear, resultsOf, outcomesOf, exceptionsOf, holds, itemsOf } =
  matchedByPeople();

type Inputs = Readonly<Record<'source' | 'target', readonly Fields[]>>;

describe('while a run is going on', () => {
  const duringRun = (jobId: string, act: () => ReturnType<typeof match>, inputs: Inputs = unclear) =>
    duringRunOf(executions(), jobId, act, inputs);

  test('who would wait too long for its end is told so in time, and has done nothing', async () => {
    const { jobId } = await withUnclear();
    const { database, api, exceptionsOf: found } = executions();
    const [{ id }] = await found(jobId);
    await database.query('begin');
    await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${jobId}`]);
    const { status, body, headers } = await api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' });
    await database.query('commit');
    expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'upstream_unavailable', '5']);
    expect((await api.get(`/v1/exceptions/${id}`)).body).toMatchObject({ status: 'open', resolution: null });
  });

  test('a match that is made is in its results all the same', async () => {
    const { jobId, id } = await withUnclear();
    const { id: during, status } = await duringRun(jobId, () => match(id, ['s1', 's2'], ['t1', 't9']));
    expect(status).toBe(201);
    expect(await outcomesOf(during)).toEqual([
      'matched s1 s2 t1 t9',
      'missing_in_source t2',
      'missing_in_source u1',
      'missing_in_target s3',
    ]);
    expect((await executions().api.get(`/v1/executions/${during}`)).body.summary).toMatchObject({
      matched: 1,
      mismatched: 0,
      missingInSource: 2,
    });
    await holds(during);
    expect(await itemsOf(jobId)).toEqual(['s3', 't2', 't9 retired', 'u1']);
    const rerun = await executions().run(jobId, unclear.source, unclear.target);
    expect(await outcomesOf(rerun.id)).toEqual(await outcomesOf(during));
  });

  test.each([
    ['brings back', true, ['matched s2 t2', 'missing_in_target s8']],
    ['has not', false, ['missing_in_source t2', 'missing_in_target s8']],
  ])(
    'a match that is made takes what it needs from another match, also of a run that %s the other record',
    async (_, carries, expected) => {
      const jobId = newJobId();
      if (!carries) forgetful.add(jobId);
      const { id } = await executions().run(jobId, unclear.source, unclear.target);
      const [, , t2] = unclear.target as readonly Fields[];
      const inputs = { source: [euro('s8', '25.00', { reference: '2' })], target: [t2 as Fields] };
      const { id: during, status } = await duringRun(jobId, () => match(id, ['s2'], ['t2']), inputs);
      expect(status).toBe(201);
      expect(await outcomesOf(during)).toEqual(expect.arrayContaining(expected));
      await holds(during);
      const open = (await exceptionsOf(jobId)).filter((one: string) => one.startsWith('open'));
      expect(open).toContain('open  s8');
      expect(open).not.toContain('open  t2');
    },
  );

  test('a match that is made takes what it needs from a pair that differs, also where its other record is not there', async () => {
    const jobId = newJobId();
    forgetful.add(jobId);
    const { id } = await executions().run(jobId, unclear.source, unclear.target);
    const [, , t2] = unclear.target as readonly Fields[];
    const inputs = { source: [euro('s8', '20.00', { reference: '2' })], target: [t2 as Fields] };
    const { id: during, status } = await duringRun(jobId, () => match(id, ['s2'], ['t2']), inputs);
    expect(status).toBe(201);
    expect(await outcomesOf(during)).toEqual(['missing_in_source t2', 'missing_in_target s8']);
    expect((await exceptionsOf(jobId)).filter((exception: string) => exception.startsWith('open') && /s8|t2/.test(exception))).toEqual([
      'open  s8',
    ]);
    await holds(during);
  });

  test('a match of one of several without ids that say the same is of that one', async () => {
    const jobId = newJobId();
    const same: Fields = { amount: '10.00', currency: 'EUR', date: '2026-04-01', reference: 'cash' };
    const inputs = { source: [same, same, same], target: [euro('t9', '9.00', { reference: 'other' })] };
    const { id } = await executions().run(jobId, inputs.source, inputs.target);
    const linked = async (run: string): Promise<readonly (string | null)[]> =>
      (await executions().must(200, executions().api.get(`/v1/executions/${run}/results?outcome=missing_in_target`))).data.map(
        ({ exceptionId }: { exceptionId: string }) => exceptionId,
      );
    const [first, second, third] = await linked(id);
    const chosen = (await resultsOf(id))[1]?.id ?? '';
    const { id: during, status } = await duringRun(jobId, () => match(id, [chosen], ['t9']), inputs);
    expect(status).toBe(201);
    expect(await linked(during)).toEqual([first, third]);
    const open = await executions().exceptionsOf(jobId, '&status=open');
    expect(open.map((exception: { id: string }) => exception.id).sort()).toEqual([first, third].sort());
    expect((await executions().api.get(`/v1/exceptions/${second}`)).body).toMatchObject({ resolution: 'matched_manually' });
    await holds(during);
  });

  test('a match that is made keeps what the run has settled by its rules, for whoever undoes it', async () => {
    const jobId = newJobId();
    const [s3, t3, t9] = [euro('s3', '30.00'), euro('t3', '30.00'), euro('t9', '29.00')];
    const { id } = await executions().run(jobId, [s3], [t9]);
    const { id: during, status } = await duringRun(jobId, () => match(id, ['s3'], ['t9']), { source: [], target: [t3] });
    expect(status).toBe(201);
    expect(await outcomesOf(during)).toEqual(['matched s3 t9', 'missing_in_source t3']);
    expect(await itemsOf(jobId)).toEqual(['s3 retired', 't3', 't9 retired']);
    const made = (await resultsOf(id)).find(({ outcome }) => outcome === 'matched');
    expect((await undo(id, made?.id ?? '')).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s3', 't3', 't9']);
    const last = await executions().run(jobId, [], []);
    expect(await outcomesOf(last.id)).toEqual(['matched s3 t3', 'missing_in_source t9']);
    expect(await exceptionsOf(jobId)).toEqual(['open  t9', 'resolved matched_later s3', 'resolved matched_later t3']);
    await holds(during);
  });

  test('a match that is undone is in them no more', async () => {
    const { jobId, id } = await withUnclear();
    const { body: made } = await match(id, ['s3'], ['t9']);
    const { id: during, status } = await duringRun(jobId, () => undo(id, made.id));
    expect(status).toBe(204);
    expect(await outcomesOf(during)).toEqual(['ambiguous s1 t1 u1', 'mismatched s2 t2', 'missing_in_source t9', 'missing_in_target s3']);
    await holds(during);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1 t1 u1', 'open  s2 t2', 'open  s3', 'open  t9']);
    expect(await itemsOf(jobId)).toEqual(['s3', 't9']);
  });

  test('a match of the rules that is undone is in them no more, although they made it again', async () => {
    const inputs = { source: [euro('s1', '10.00'), euro('s2', '20.00')], target: [euro('t1', '10.00'), euro('t2', '20.00')] };
    const jobId = newJobId();
    const { id } = await executions().run(jobId, inputs.source, inputs.target);
    const [first] = (await resultsOf(id)).filter(({ source }) => source[0]?.['id'] === 's1');
    const { id: during, status } = await duringRun(jobId, () => undo(id, first?.id ?? ''), inputs);
    expect(status).toBe(204);
    expect(await outcomesOf(during)).toEqual(['matched s2 t2', 'missing_in_source t1', 'missing_in_target s1']);
    const { summary } = await holds(during);
    expect(summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1, matchRate: 0.5 });
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    expect(await outcomesOf((await executions().run(jobId, inputs.source, inputs.target)).id)).toEqual(await outcomesOf(during));
  });

  test('a match of the rules that is undone is kept by none of its records, wherever it is undone', async () => {
    const [s1, t1] = [euro('s1', '10.00'), euro('t1', '10.00')];
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1]);
    const [match] = await resultsOf(id);
    const { id: during, status } = await duringRun(jobId, () => undo(id, match?.id ?? ''), { source: [s1], target: [] });
    expect(status).toBe(204);
    expect(await outcomesOf(during)).toEqual(['missing_in_target s1']);
    expect((await holds(during)).summary).toMatchObject({ matched: 0, missingInTarget: 1 });
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    expect(await outcomesOf((await executions().run(jobId, [], [])).id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);

    const other = newJobId();
    const first = await executions().run(other, [s1], [t1]);
    const second = await executions().run(other, [s1], []);
    const [kept] = await resultsOf(second.id);
    const third = await duringRun(other, () => undo(second.id, kept?.id ?? ''), { source: [], target: [t1] });
    expect(third.status).toBe(204);
    expect(await outcomesOf(third.id)).toEqual(['missing_in_source t1']);
    for (const run of [first.id, second.id, third.id]) await holds(run);
    expect(await exceptionsOf(other)).toEqual(['open  s1', 'open  t1']);
    expect(await itemsOf(other)).toEqual(['s1', 't1']);
  });

  test.each([
    ['agrees', '10.00', ['matched s1 t1'], []],
    ['differs', '12.00', ['mismatched s1 t1'], ['open  s1 t1']],
  ])('a match that is undone leaves no second of a record of which the run has a new version that %s', async (_, amount, found, open) => {
    const jobId = newJobId();
    const [s1, t1] = [euro('s1', '10.00'), euro('t1', '10.00')];
    const { id } = await executions().run(jobId, [s1], [t1]);
    const [match] = await resultsOf(id);
    const inputs = { source: [{ ...s1, amount, description: 'shipped' }], target: [] };
    const { id: during, status } = await duringRun(jobId, () => undo(id, match?.id ?? ''), inputs);
    expect(status).toBe(204);
    expect(await outcomesOf(during)).toEqual(found);
    expect(await itemsOf(jobId)).toEqual([]);
    expect(await exceptionsOf(jobId)).toEqual([...open, 'resolved matched_later s1', 'resolved matched_later t1']);
    await holds(during);
    const next = await executions().run(jobId, [], [euro('t2', '10.00', { reference: '1' })]);
    expect(await outcomesOf(next.id)).toEqual(['missing_in_source t2']);
  });

  test('a match that is undone leaves no second of a record that has met another, nor does what is reopened', async () => {
    const [s1, t1, t2] = [euro('s1', '10.00'), euro('t1', '10.00'), euro('t2', '10.00', { reference: '1' })];
    const jobId = newJobId();
    await executions().run(jobId, [{ ...s1, reference: 'other' }], []);
    const [{ id: about }] = await executions().exceptionsOf(jobId);
    await executions().must(200, executions().api.post(`/v1/exceptions/${about}/resolve`, { resolution: 'corrected_at_source' }));
    const { id, status } = await duringRun(jobId, () => executions().api.post(`/v1/exceptions/${about}/reopen`), {
      source: [s1],
      target: [t1],
    });
    expect(status).toBe(200);
    expect(await outcomesOf(id)).toEqual(['matched s1 t1']);
    expect(await itemsOf(jobId)).toEqual([]);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_later s1']);
    expect(await outcomesOf((await executions().run(jobId, [], [{ ...t2, reference: 'other' }])).id)).toEqual(['missing_in_source t2']);

    const other = newJobId();
    const first = await executions().run(other, [s1], [t1]);
    const [match] = await resultsOf(first.id);
    const changed = [{ ...t1, reference: 'other' }, t2];
    const during = await duringRun(other, () => undo(first.id, match?.id ?? ''), { source: [s1], target: changed });
    expect(await outcomesOf(during.id)).toEqual(['matched s1 t2', 'missing_in_source t1']);
    expect(await itemsOf(other)).toEqual(['t1']);
    expect(await exceptionsOf(other)).toEqual(['open  t1', 'resolved matched_later s1']);
    await holds(during.id);
  });

  test('a record that is written off stays so, and the exception says that the run has matched it', async () => {
    const jobId = newJobId();
    const [s1, t1] = [euro('s1', '10.00'), euro('t1', '10.00')];
    await executions().run(jobId, [s1], []);
    const [{ id: about }] = await executions().exceptionsOf(jobId);
    const writeOff = () => executions().api.post(`/v1/exceptions/${about}/resolve`, { resolution: 'written_off' });
    const { id: during, status } = await duringRun(jobId, writeOff, { source: [], target: [t1] });
    expect(status).toBe(200);
    expect(await outcomesOf(during)).toEqual(['matched s1 t1']);
    expect(await itemsOf(jobId)).toEqual([]);
    const { body } = await executions().api.get(`/v1/exceptions/${about}`);
    expect(body).toMatchObject({ status: 'resolved', resolution: 'written_off' });
    expect(body.history.map(({ action }: { action: string }) => action)).toEqual(['opened', 'resolved', 'found_by_run']);
    expect(body.history.at(-1)).toMatchObject({
      actor: { type: 'system' },
      detail: { executionId: during, outcome: 'matched' },
    });
    const [match] = await resultsOf(during);
    const refused = await executions().api.post(`/v1/exceptions/${about}/reopen`);
    expect(refused.body).toMatchObject({ status: 409, detail: expect.stringContaining(match?.id ?? '') });

    // Also where it was before, and the record is delivered once more. It is told once.
    const before = newJobId();
    await executions().run(before, [s1, euro('s2', '20.00')], []);
    for (const { id } of await executions().exceptionsOf(before))
      await executions().must(200, executions().api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' }));
    const { id: found } = await executions().run(before, [s1, euro('s2', '20.00')], [t1]);
    await executions().run(before, [s1, euro('s2', '20.00')], []);
    const notes = await Promise.all(
      (await executions().exceptionsOf(before)).map(
        async ({ id, resolution, records }: { id: string; resolution: string; records: Fields[] }) => {
          const { history } = (await executions().api.get(`/v1/exceptions/${id}`)).body;
          return [
            records[0]?.['id'],
            resolution,
            history.map(({ action }: { action: string }) => action).join(),
            history.at(-1).detail.executionId,
          ];
        },
      ),
    );
    expect(notes.sort()).toEqual([
      ['s1', 'written_off', 'opened,resolved,found_by_run', found],
      ['s2', 'written_off', 'opened,resolved', undefined],
    ]);

    const late = newJobId();
    await executions().run(late, [s1, euro('s2', '20.00')], []);
    for (const { id } of await executions().exceptionsOf(late))
      await executions().must(200, executions().api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'expected_timing' }));
    const { id: arrived } = await executions().run(late, [], [t1]);
    const told = await Promise.all(
      (await executions().exceptionsOf(late)).map(async ({ id, records }: { id: string; records: Fields[] }) => {
        const { history } = (await executions().api.get(`/v1/exceptions/${id}`)).body;
        return [records[0]?.['id'], history.at(-1).action, history.at(-1).detail.executionId];
      }),
    );
    expect(told.sort()).toEqual([
      ['s1', 'found_by_run', arrived],
      ['s2', 'resolved', undefined],
    ]);
  });
});
