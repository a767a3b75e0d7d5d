import { describe, expect, test } from 'vitest';
import { unclear } from './looking-into.ts';
import { matchedByPeople } from './matched-by-people.ts';
import { euro, type Fields } from './running-service.ts';

const { executions, newJobId, forgetful, match, undo, withUnclear, resultsOf, outcomesOf, exceptionsOf, holds, stored, itemsOf } =
  matchedByPeople();

describe('a match by hand', () => {
  test('is one result that says who made it, closes the exceptions, and leaves the certificate and the summary true', async () => {
    const { jobId, id } = await withUnclear();
    expect(await outcomesOf(id)).toEqual(['ambiguous s1 t1 u1', 'mismatched s2 t2', 'missing_in_source t9', 'missing_in_target s3']);
    const before = await executions().must(200, executions().api.get(`/v1/executions/${id}`));
    const made = await match(id, ['s3'], ['t9'], 'named otherwise by the bank');
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      outcome: 'matched',
      pass: null,
      cardinality: 'one-to-one',
      delta: { amount: '-1.00', days: 2 },
      manual: { matchId: made.body.id, by: { type: 'user' }, at: expect.any(String), note: 'named otherwise by the bank' },
    });
    expect(await outcomesOf(id)).toEqual(['ambiguous s1 t1 u1', 'matched s3 t9', 'mismatched s2 t2']);
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s1 t1 u1',
      'open  s2 t2',
      'resolved matched_manually s3',
      'resolved matched_manually t9',
    ]);
    const { summary, matchRate } = await holds(id);
    expect(summary).toMatchObject({ matched: 1, missingInTarget: 0, missingInSource: 0, byCurrency: { EUR: { matched: 1 } } });
    expect(matchRate).toBe(0.3333);
    const after = await executions().api.get(`/v1/executions/${id}`);
    expect([after.body.summary, after.headers.get('etag')]).not.toEqual([before.summary, before.etag]);
    const events = await executions().messages('match.created');
    expect(events.filter(({ matchId }) => matchId === made.body.id)).toMatchObject([
      { jobId, executionId: id, sourceRecords: 1, difference: '-1.00' },
    ]);
    const audited = (await executions().messages('audit.recorded')).filter(({ resource }) => resource.id === made.body.id);
    expect(audited).toMatchObject([{ action: 'match.created' }]);
    expect(JSON.stringify(audited)).not.toContain('bank');
  });

  test('takes one of several candidates and part of a pair that differs, and what is left stands for itself', async () => {
    const { jobId, id } = await withUnclear();
    await executions().must(201, match(id, ['s1', 's2'], ['u1']));
    expect(await outcomesOf(id)).toEqual([
      'matched s1 s2 u1',
      'missing_in_source t1',
      'missing_in_source t2',
      'missing_in_source t9',
      'missing_in_target s3',
    ]);
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s3',
      'open  t1',
      'open  t2',
      'open  t9',
      'resolved matched_manually s1 t1 u1',
      'resolved matched_manually s2 t2',
    ]);
    const left = (await resultsOf(id)).filter(({ outcome }) => outcome === 'missing_in_source');
    expect(left.every((result) => 'exceptionId' in result && result.exceptionId !== null)).toBe(true);
    expect(await itemsOf(jobId)).toEqual(['s3', 't1', 't2', 't9']);
    await holds(id);
  });

  test('is undone to what was there before, to the last row', async () => {
    const { jobId, id } = await withUnclear();
    const exceptions = await executions().exceptionsOf(jobId);
    const [differing] = exceptions.filter(({ category }: { category: string }) => category === 'amount_mismatch');
    await executions().must(200, executions().api.patch(`/v1/exceptions/${differing.id}`, { status: 'in_progress' }));
    const before = { ...(await stored(id)), exceptions: await exceptionsOf(jobId), items: await itemsOf(jobId), told: await holds(id) };
    const { body: made } = await match(id, ['s1', 's2'], ['t1', 't9']);
    expect(await itemsOf(jobId)).toEqual(['s3', 't2', 't9 retired', 'u1']);
    expect((await undo(id, made.id)).status).toBe(204);
    const after = { ...(await stored(id)), exceptions: await exceptionsOf(jobId), items: await itemsOf(jobId), told: await holds(id) };
    expect(after).toEqual({
      ...before,
      // Those that were opened for what was left over have been with their candidates since.
      exceptions: [...before.exceptions, 'resolved matched_later t2', 'resolved matched_later u1'].sort(),
    });
    expect((await undo(id, made.id)).status).toBe(404);
    const removed = (await executions().messages('match.removed')).filter(({ matchId }) => matchId === made.id);
    expect(removed).toMatchObject([{ reason: 'undone', executionId: id }]);
    await executions().must(201, match(id, ['s1'], ['t1']));
  });

  test('is refused with the reason where it cannot be', async () => {
    const { jobId, id } = await withUnclear();
    const faults = await match(id, ['s1', 's1', 't1'], ['nobody']);
    expect(faults.body).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(faults.body.errors.map(({ path }: { path: string }) => path)).toEqual(['source[1]', 'source[2]', 'target[0]']);
    const { body: made } = await match(id, ['s3'], ['t9']);
    expect((await match(id, ['s3'], ['t1'])).body).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('s3') });
    expect((await undo(id, (await resultsOf(id)).find(({ outcome }) => outcome === 'ambiguous')?.id ?? '')).status).toBe(409);
    const again = await executions().api.delete(`/v1/executions/${id}/matches/${made.id}`, { headers: { 'if-match': '"7"' } });
    expect(again.status).toBe(412);
    const [closed] = (await executions().exceptionsOf(jobId, '&status=resolved')).filter(
      ({ records }: { records: Fields[] }) => records[0]?.['id'] === 's3',
    );
    const reopened = await executions().api.post(`/v1/exceptions/${closed.id}/reopen`);
    expect(reopened.body).toMatchObject({ status: 409, detail: expect.stringContaining(made.id) });
    expect((await executions().stranger.post(`/v1/executions/${id}/matches`, { source: ['s1'], target: ['t1'] })).status).toBe(404);
    expect((await executions().stranger.delete(`/v1/executions/${id}/matches/${made.id}`)).status).toBe(404);
  });

  test('is made by one of two who match the same record at once', async () => {
    const { id } = await withUnclear();
    const answers = await Promise.all([match(id, ['s3'], ['t9']), match(id, ['s3'], ['t1']), match(id, ['s1'], ['t9'])]);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBe(statuses[0] === 201 ? 1 : 2);
    expect(statuses.every((status) => status === 201 || status === 409)).toBe(true);
    await holds(id);
  });

  test('cannot change what a record is worth, whoever asks', async () => {
    const { rows } = await executions().database.query(
      `select table_name, privilege_type as may, string_agg(column_name, ' ' order by column_name) as columns from information_schema.role_column_grants
        where table_name in ('results', 'result_sums', 'result_renamings') and grantee like '%\\_app' and privilege_type = 'UPDATE' group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([{ table_name: 'results', may: 'UPDATE', columns: 'exception_id' }]);
    const { rows: sums } = await executions().database.query(
      `select table_name || ' ' || privilege_type as may from information_schema.role_table_grants
        where table_name in ('result_sums', 'result_renamings') and grantee like '%\\_app' order by 1`,
    );
    expect(sums.map(({ may }) => may)).toEqual(['result_renamings INSERT', 'result_renamings SELECT', 'result_sums SELECT']);
  });
});

describe('a later run', () => {
  test('is given the match, and undoing it there sets its records free', async () => {
    const { jobId, id } = await withUnclear();
    const { body: made } = await match(id, ['s1'], ['t9'], 'as said');
    const rerun = await executions().run(jobId, unclear.source.toReversed(), unclear.target.toReversed());
    expect(await outcomesOf(rerun.id)).toEqual([
      'matched s1 t9',
      'mismatched s2 t2',
      'missing_in_source t1',
      'missing_in_source u1',
      'missing_in_target s3',
    ]);
    const given = (await resultsOf(rerun.id)).find(({ outcome }) => outcome === 'matched');
    expect(given).toMatchObject({ manual: { matchId: made.id, note: 'as said' }, delta: { amount: '19.00' } });
    expect(rerun.summary).toMatchObject({ matched: 1 });
    await holds(rerun.id);
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s2 t2',
      'open  s3',
      'open  t1',
      'open  u1',
      'resolved matched_manually s1 t1 u1',
      'resolved matched_manually t9',
    ]);
    expect((await undo(rerun.id, given?.id ?? '')).status).toBe(204);
    expect(await outcomesOf(rerun.id)).toEqual([
      'mismatched s2 t2',
      'missing_in_source t1',
      'missing_in_source t9',
      'missing_in_source u1',
      'missing_in_target s1',
      'missing_in_target s3',
    ]);
    expect((await executions().api.get(`/v1/executions/${rerun.id}`)).body.summary).toMatchObject({ matched: 0, matchRate: 0 });
    await holds(rerun.id);
    // One for each record that is alone, and none for what the first run had found.
    expect((await exceptionsOf(jobId)).filter((one: string) => one.startsWith('open'))).toEqual([
      'open  s1',
      'open  s2 t2',
      'open  s3',
      'open  t1',
      'open  t9',
      'open  u1',
    ]);
    expect((await undo(id, made.id)).body).toMatchObject({ status: 409, detail: 'This match has been undone already.' });
    const last = await executions().run(jobId, unclear.source, unclear.target);
    expect(await outcomesOf(last.id)).toContain('ambiguous s1 t1 u1');
    expect((await exceptionsOf(jobId)).filter((one: string) => one.startsWith('open'))).toEqual([
      'open  s1 t1 u1',
      'open  s2 t2',
      'open  s3',
      'open  t9',
    ]);
  });

  test('opens what was matched when one of its records says something else, and nothing while they are the same', async () => {
    const { jobId, id } = await withUnclear();
    const { body: made } = await match(id, ['s3'], ['t9']);
    const alone = await executions().run(jobId, unclear.source, unclear.target.slice(0, 3));
    expect(await outcomesOf(alone.id)).toContain('missing_in_target s3');
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s1 t1 u1',
      'open  s2 t2',
      'resolved matched_manually s3',
      'resolved matched_manually t9',
    ]);
    const changed = await executions().run(jobId, unclear.source, [
      ...unclear.target.slice(0, 3),
      { ...unclear.target[3], amount: '28.00' },
    ]);
    expect(await outcomesOf(changed.id)).toEqual([
      'ambiguous s1 t1 u1',
      'mismatched s2 t2',
      'missing_in_source t9',
      'missing_in_target s3',
    ]);
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s1 t1 u1',
      'open  s2 t2',
      'open  s3',
      'open  t9',
      'resolved matched_manually s3',
      'resolved matched_manually t9',
    ]);
    expect(await itemsOf(jobId)).toEqual(['s3', 't9']);
    const removed = (await executions().messages('match.removed')).filter(({ matchId }) => matchId === made.id);
    expect(removed).toMatchObject([{ reason: 'record_changed' }]);
    expect((await undo(id, made.id)).body).toMatchObject({ status: 409, detail: expect.stringContaining('changed') });
  });

  test('has what comes alone wait, whatever it was before, for as long as it takes, and meets nobody else', async () => {
    const { jobId, id } = await withUnclear();
    for (const pair of ['1', '2']) await executions().must(201, match(id, [`s${pair}`], [`t${pair}`]));
    const [t1, , t2] = unclear.target as readonly Fields[];
    for (let again = 0; again < 2; again += 1) await executions().run(jobId, [], [t1 as Fields, t2 as Fields]);
    const met = await executions().run(jobId, [{ ...t1, id: 's7' } as Fields, { ...t2, id: 's8' } as Fields], []);
    const targets = (await resultsOf(met.id)).flatMap(({ target }) => target.map((record) => record['id']));
    expect(targets).not.toContain('t1');
    expect(targets).not.toContain('t2');
    const whole = await executions().run(jobId, unclear.source, unclear.target);
    expect(await outcomesOf(whole.id)).toEqual(expect.arrayContaining(['matched s1 t1', 'matched s2 t2']));
  });

  test('that has matched a record keeps it from a match by hand in the run before, whatever it was there', async () => {
    const { jobId, id } = await withUnclear();
    const [, , t2] = unclear.target as readonly Fields[];
    const later = await executions().run(jobId, [euro('s8', '25.00', { reference: '2' })], [t2 as Fields]);
    expect(await outcomesOf(later.id)).toContain('matched s8 t2');
    await executions().run(jobId, [], []);
    expect(await match(id, ['s2'], ['t2'])).toMatchObject({ status: 409, body: { detail: expect.stringContaining(later.id) } });
  });

  test('that has a record in another version keeps it from a match by hand in the run before', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [euro('s1', '10.00')], [euro('t9', '10.00')]);
    const later = await executions().run(jobId, [], [euro('t9', '12.00')]);
    expect(await match(id, ['s1'], ['t9'])).toMatchObject({ status: 409, body: { detail: expect.stringContaining(later.id) } });
    expect((await match(later.id, ['s1'], ['t9'])).status).toBe(201);
  });

  test('that has a record in another version keeps it from one where nothing is carried forward, too: it could not be undone', async () => {
    const jobId = newJobId();
    forgetful.add(jobId);
    const { id } = await executions().run(jobId, [euro('s1', '10.00')], [euro('t9', '10.00')]);
    const later = await executions().run(jobId, [euro('s1', '10.00')], [euro('t9', '12.00')]);
    expect(await match(id, ['s1'], ['t9'])).toMatchObject({ status: 409, body: { detail: expect.stringContaining(later.id) } });
    const made = await match(later.id, ['s1'], ['t9']);
    expect(made.status).toBe(201);
    expect((await executions().api.delete(`/v1/executions/${later.id}/matches/${made.body.id}`)).status).toBe(204);
  });

  test('that has matched what a match by hand in the run before would leave over keeps that, too', async () => {
    const jobId = newJobId();
    const t2 = euro('t2', '25.00');
    const { id } = await executions().run(jobId, [euro('s2', '20.00')], [t2, euro('t9', '29.00')]);
    const later = await executions().run(jobId, [euro('s8', '25.00', { reference: '2' })], [t2]);
    expect(await outcomesOf(later.id)).toEqual(['matched s8 t2', 'missing_in_source t9', 'missing_in_target s2']);
    expect(await match(id, ['s2'], ['t9'])).toMatchObject({ status: 409, body: { detail: expect.stringContaining(later.id) } });
    expect((await match(later.id, ['s2'], ['t9'])).status).toBe(201);
    expect(await itemsOf(jobId)).toEqual(['s2 retired', 't9 retired']);
  });

  test.each([
    { as: 'it was', settled: '25.00', items: ['t2 retired', 't9 retired'], found: ['missing_in_target s8'] },
    { as: 'it is now', settled: '15.00', items: ['t2', 't9 retired'], found: ['matched s8 t2'] },
  ])('has what was settled once and is left over as $as', async ({ settled, items, found }) => {
    const jobId = newJobId();
    await executions().run(jobId, [], [euro('t2', settled)]);
    const [{ id: exceptionId }] = await executions().exceptionsOf(jobId);
    await executions().must(200, executions().api.post(`/v1/exceptions/${exceptionId}/resolve`, { resolution: 'written_off' }));
    const { id } = await executions().run(jobId, [euro('s2', '20.00')], [euro('t2', '25.00'), euro('t9', '29.00')]);
    expect(await outcomesOf(id)).toEqual(['mismatched s2 t2', 'missing_in_source t9']);
    expect((await match(id, ['s2'], ['t9'])).status).toBe(201);
    expect(await itemsOf(jobId)).toEqual(items);
    const last = await executions().run(jobId, [euro('s8', '25.00', { reference: '2' })], []);
    expect(await outcomesOf(last.id)).toEqual(found);
  });

  test('has what was written off matched once it is reopened', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [euro('s1', '10.00')], [euro('t9', '10.00')]);
    const about = (await resultsOf(id)).find(({ outcome }) => outcome === 'missing_in_target')?.exceptionId;
    await executions().must(200, executions().api.post(`/v1/exceptions/${about}/resolve`, { resolution: 'written_off' }));
    const detail = `One of the records is settled: ${about} is written_off. Reopen it first, and match then.`;
    expect((await match(id, ['s1'], ['t9'])).body).toMatchObject({ status: 409, code: 'conflict', detail });
    await executions().must(200, executions().api.post(`/v1/exceptions/${about}/reopen`));
    expect((await match(id, ['s1'], ['t9'])).status).toBe(201);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_manually s1', 'resolved matched_manually t9']);
  });

  test('that has found a counterpart keeps it', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [euro('s1', '10.00')], [euro('t9', '10.00')]);
    await executions().run(jobId, [], [euro('t1', '10.00')]);
    expect((await match(id, ['s1'], ['t9'])).body).toMatchObject({ status: 409, detail: expect.stringContaining('A later run') });
  });

  test('knows records without ids by what they say', async () => {
    const jobId = newJobId();
    const anonymous = (reference: string, amount: string): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference });
    const inputs = [[anonymous('a', '1.00'), anonymous('a', '1.00')], [anonymous('b', '2.00')]] as const;
    const { id } = await executions().run(jobId, ...inputs);
    const all = await resultsOf(id);
    const named = (outcome: string) => all.filter((result) => result.outcome === outcome).map((result) => result.id);
    const [first = ''] = named('missing_in_target');
    await executions().must(201, match(id, [first], named('missing_in_source')));
    const rerun = await executions().run(jobId, ...inputs);
    expect(await outcomesOf(rerun.id)).toEqual(['matched a b', 'missing_in_target a']);
    const { rows } = await executions().database.query(
      `select record ->> 'reference' as what, retired_at is not null as retired from open_items where job_id = $1 order by 1, 2`,
      [jobId],
    );
    expect(rows).toEqual([
      { what: 'a', retired: false },
      { what: 'a', retired: true },
      { what: 'b', retired: true },
    ]);
    await holds(rerun.id);
  });
});
