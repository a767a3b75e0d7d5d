import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { waitFor } from '@settler/harness';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookingInto, manualReview, unclear } from './looking-into.ts';
import { type Executions, euro, type Fields, organizationId, otherOrganizationId, startExecutions } from './running-service.ts';

let jobs = 0;
const newJobId = () => {
  jobs += 1;
  return `job_01jqv8m0c4e7r9t2w5y8a4${String(jobs).padStart(4, '0')}`;
};

/** Jobs whose payouts are many orders each. */
const grouped = new Set<string>();
const byPayout = {
  passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
};

/** Jobs whose runs know nothing of each other. */
const forgetful = new Set<string>();

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await startExecutions((jobId) => ({
    ...(grouped.has(jobId) ? byPayout : manualReview),
    openItems: { carryForward: !forgetful.has(jobId) },
  }));
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres?.close();
  await executions?.stop();
});

const { resultsOf, outcomesOf, exceptionsOf, holds, stored, itemsOf } = lookingInto(
  () => executions,
  () => postgres,
);
const match = (executionId: string, source: readonly string[], target: readonly string[], note?: string) =>
  executions.api.post(`/v1/executions/${executionId}/matches`, { source, target, note });
const undo = (executionId: string, resultId: string) => executions.api.delete(`/v1/executions/${executionId}/matches/${resultId}`);
const withUnclear = async () => {
  const jobId = newJobId();
  const { id } = await executions.run(jobId, unclear.source, unclear.target);
  return { jobId, id: id as string };
};

describe('a match by hand', () => {
  test('is one result that says who made it, closes the exceptions, and leaves the certificate and the summary true', async () => {
    const { jobId, id } = await withUnclear();
    expect(await outcomesOf(id)).toEqual(['ambiguous s1 t1 u1', 'mismatched s2 t2', 'missing_in_source t9', 'missing_in_target s3']);
    const before = await executions.must(200, executions.api.get(`/v1/executions/${id}`));
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
    const after = await executions.api.get(`/v1/executions/${id}`);
    expect([after.body.summary, after.headers.get('etag')]).not.toEqual([before.summary, before.etag]);
    const events = await executions.messages('match.created');
    expect(events.filter(({ matchId }) => matchId === made.body.id)).toMatchObject([
      { jobId, executionId: id, sourceRecords: 1, difference: '-1.00' },
    ]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === made.body.id);
    expect(audited).toMatchObject([{ action: 'match.created' }]);
    expect(JSON.stringify(audited)).not.toContain('bank');
  });

  test('takes one of several candidates and part of a pair that differs, and what is left stands for itself', async () => {
    const { jobId, id } = await withUnclear();
    await executions.must(201, match(id, ['s1', 's2'], ['u1']));
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
    const exceptions = await executions.exceptionsOf(jobId);
    const [differing] = exceptions.filter(({ category }: { category: string }) => category === 'amount_mismatch');
    await executions.must(200, executions.api.patch(`/v1/exceptions/${differing.id}`, { status: 'in_progress' }));
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
    const removed = (await executions.messages('match.removed')).filter(({ matchId }) => matchId === made.id);
    expect(removed).toMatchObject([{ reason: 'undone', executionId: id }]);
    await executions.must(201, match(id, ['s1'], ['t1']));
  });

  test('is refused with the reason where it cannot be', async () => {
    const { jobId, id } = await withUnclear();
    const faults = await match(id, ['s1', 's1', 't1'], ['nobody']);
    expect(faults.body).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(faults.body.errors.map(({ path }: { path: string }) => path)).toEqual(['source[1]', 'source[2]', 'target[0]']);
    const { body: made } = await match(id, ['s3'], ['t9']);
    expect((await match(id, ['s3'], ['t1'])).body).toMatchObject({ status: 409, code: 'conflict', detail: expect.stringContaining('s3') });
    expect((await undo(id, (await resultsOf(id)).find(({ outcome }) => outcome === 'ambiguous')?.id ?? '')).status).toBe(409);
    const again = await executions.api.delete(`/v1/executions/${id}/matches/${made.id}`, { headers: { 'if-match': '"7"' } });
    expect(again.status).toBe(412);
    const [closed] = (await executions.exceptionsOf(jobId, '&status=resolved')).filter(
      ({ records }: { records: Fields[] }) => records[0]?.['id'] === 's3',
    );
    const reopened = await executions.api.post(`/v1/exceptions/${closed.id}/reopen`);
    expect(reopened.body).toMatchObject({ status: 409, detail: expect.stringContaining(made.id) });
    expect((await executions.stranger.post(`/v1/executions/${id}/matches`, { source: ['s1'], target: ['t1'] })).status).toBe(404);
    expect((await executions.stranger.delete(`/v1/executions/${id}/matches/${made.id}`)).status).toBe(404);
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
    const { rows } = await executions.database.query(
      `select table_name, privilege_type as may, string_agg(column_name, ' ' order by column_name) as columns from information_schema.role_column_grants
        where table_name in ('results', 'result_sums', 'result_renamings') and grantee like '%\\_app' and privilege_type = 'UPDATE' group by 1, 2 order by 1`,
    );
    expect(rows).toEqual([{ table_name: 'results', may: 'UPDATE', columns: 'exception_id' }]);
    const { rows: sums } = await executions.database.query(
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
    const rerun = await executions.run(jobId, unclear.source.toReversed(), unclear.target.toReversed());
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
    expect((await executions.api.get(`/v1/executions/${rerun.id}`)).body.summary).toMatchObject({ matched: 0, matchRate: 0 });
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
    const last = await executions.run(jobId, unclear.source, unclear.target);
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
    const alone = await executions.run(jobId, unclear.source, unclear.target.slice(0, 3));
    expect(await outcomesOf(alone.id)).toContain('missing_in_target s3');
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s1 t1 u1',
      'open  s2 t2',
      'resolved matched_manually s3',
      'resolved matched_manually t9',
    ]);
    const changed = await executions.run(jobId, unclear.source, [...unclear.target.slice(0, 3), { ...unclear.target[3], amount: '28.00' }]);
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
    const removed = (await executions.messages('match.removed')).filter(({ matchId }) => matchId === made.id);
    expect(removed).toMatchObject([{ reason: 'record_changed' }]);
    expect((await undo(id, made.id)).body).toMatchObject({ status: 409, detail: expect.stringContaining('changed') });
  });

  test('has what comes alone wait, whatever it was before, for as long as it takes, and meets nobody else', async () => {
    const { jobId, id } = await withUnclear();
    for (const pair of ['1', '2']) await executions.must(201, match(id, [`s${pair}`], [`t${pair}`]));
    const [t1, , t2] = unclear.target as readonly Fields[];
    for (let again = 0; again < 2; again += 1) await executions.run(jobId, [], [t1 as Fields, t2 as Fields]);
    const met = await executions.run(jobId, [{ ...t1, id: 's7' } as Fields, { ...t2, id: 's8' } as Fields], []);
    const targets = (await resultsOf(met.id)).flatMap(({ target }) => target.map((record) => record['id']));
    expect(targets).not.toContain('t1');
    expect(targets).not.toContain('t2');
    const whole = await executions.run(jobId, unclear.source, unclear.target);
    expect(await outcomesOf(whole.id)).toEqual(expect.arrayContaining(['matched s1 t1', 'matched s2 t2']));
  });

  test('that has matched a record keeps it from a match by hand in the run before, whatever it was there', async () => {
    const { jobId, id } = await withUnclear();
    const [, , t2] = unclear.target as readonly Fields[];
    const later = await executions.run(jobId, [euro('s8', '25.00', { reference: '2' })], [t2 as Fields]);
    expect(await outcomesOf(later.id)).toContain('matched s8 t2');
    await executions.run(jobId, [], []);
    expect(await match(id, ['s2'], ['t2'])).toMatchObject({ status: 409, body: { detail: expect.stringContaining(later.id) } });
  });

  test('that has found a counterpart keeps it', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [euro('s1', '10.00')], [euro('t9', '10.00')]);
    await executions.run(jobId, [], [euro('t1', '10.00')]);
    expect((await match(id, ['s1'], ['t9'])).body).toMatchObject({ status: 409, detail: expect.stringContaining('A later run') });
  });

  test('knows records without ids by what they say', async () => {
    const jobId = newJobId();
    const anonymous = (reference: string, amount: string): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference });
    const inputs = [[anonymous('a', '1.00'), anonymous('a', '1.00')], [anonymous('b', '2.00')]] as const;
    const { id } = await executions.run(jobId, ...inputs);
    const all = await resultsOf(id);
    const named = (outcome: string) => all.filter((result) => result.outcome === outcome).map((result) => result.id);
    const [first = ''] = named('missing_in_target');
    await executions.must(201, match(id, [first], named('missing_in_source')));
    const rerun = await executions.run(jobId, ...inputs);
    expect(await outcomesOf(rerun.id)).toEqual(['matched a b', 'missing_in_target a']);
    const { rows } = await executions.database.query(
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

describe('a match of the rules', () => {
  const [s1, t1, u1] = [euro('s1', '10.00'), euro('t1', '10.00'), euro('u1', '10.00', { reference: '1' })];
  const others = { source: [euro('s2', '20.00'), euro('s3', '30.00')], target: [euro('t2', '20.00'), euro('t3', '33.00')] };
  const matchedIn = async (id: string) => (await resultsOf(id)).find(({ outcome }) => outcome === 'matched')?.id ?? '';
  /** Other rules, tried on what the execution has stored. */
  const dry = async (id: string, rules: object) => {
    const tried = await executions.must(202, executions.api.post(`/v1/executions/${id}/try`, { rules }));
    return waitFor(
      async () => {
        const { body } = await executions.api.get(`/v1/executions/${tried.id}`);
        return body.status === 'completed' ? body : undefined;
      },
      { what: `the end of ${tried.id}`, timeoutMs: 20_000 },
    );
  };
  const undone = async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1], [t1]);
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    return { jobId, id: id as string };
  };

  test('is undone: its records are missing, open, and wait for others', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1, ...others.source], [t1, ...others.target]);
    expect(await outcomesOf(id)).toEqual(['matched s1 t1', 'matched s2 t2', 'mismatched s3 t3']);
    const result = (await resultsOf(id)).find(({ source }) => source[0]?.['id'] === 's1')?.id ?? '';
    const before = await executions.must(200, executions.api.get(`/v1/executions/${id}`));
    const stale = await executions.api.delete(`/v1/executions/${id}/matches/${result}`, { headers: { 'if-match': '"7"' } });
    expect(stale.status).toBe(412);
    expect((await executions.stranger.delete(`/v1/executions/${id}/matches/${result}`)).status).toBe(404);
    const undone = await executions.api.delete(`/v1/executions/${id}/matches/${result}`, { headers: { 'if-match': '"1"' } });
    expect(undone.status).toBe(204);
    expect(await outcomesOf(id)).toEqual(['matched s2 t2', 'mismatched s3 t3', 'missing_in_source t1', 'missing_in_target s1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  s3 t3', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    const { summary, matchRate } = await holds(id);
    expect(summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1, byCurrency: { EUR: { matched: 1 } } });
    expect([before.summary.matchRate, matchRate]).toEqual([0.6667, 0.3333]);
    const removed = (await executions.messages('match.removed')).filter(({ matchId }) => matchId === result);
    expect(removed).toMatchObject([{ reason: 'undone', executionId: id, sourceRecords: 1, targetRecords: 1 }]);
    const audited = (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === result);
    expect(audited).toMatchObject([{ action: 'match.removed', actor: { type: 'user' }, after: { reason: 'undone' } }]);
    expect((await undo(id, result)).status).toBe(404);
    const differing = (await resultsOf(id)).find(({ outcome }) => outcome === 'mismatched')?.id ?? '';
    expect((await undo(id, differing)).body).toMatchObject({ status: 409, detail: expect.stringContaining('mismatched') });
  });

  test('stays apart in later runs, delivered again or not, until one of its records says something else', async () => {
    const { jobId } = await undone();
    const asItems = await executions.run(jobId, [], []);
    expect(await outcomesOf(asItems.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    const again = await executions.run(jobId, [s1], [t1]);
    expect(await outcomesOf(again.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1']);
    await holds(again.id);
    const changed = await executions.run(jobId, [s1], [{ ...t1, date: '2026-04-02' }]);
    expect(await outcomesOf(changed.id)).toEqual(['matched s1 t1']);
    expect(await itemsOf(jobId)).toEqual([]);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_later s1', 'resolved matched_later t1']);
  });

  test('leaves its records to others, and to whoever matches them by hand later', async () => {
    const { jobId, id } = await undone();
    const rerun = await executions.run(jobId, [s1], [t1, u1]);
    expect(await outcomesOf(rerun.id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    const both = await undone();
    const { body: made } = await match(both.id, ['s1'], ['t1'], 'after all');
    const given = await executions.run(both.jobId, [s1], [t1]);
    expect(await outcomesOf(given.id)).toEqual(['matched s1 t1']);
    expect((await resultsOf(given.id))[0]).toMatchObject({ manual: { matchId: made.id } });
    expect((await undo(both.id, made.id)).status).toBe(204);
    expect(await outcomesOf(both.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await outcomesOf((await executions.run(both.jobId, [s1], [t1])).id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    await holds(id);
  });

  test('that a person has made stays apart, too, where the rules would make it', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1], [t1, u1]);
    const { body: made } = await match(id, ['s1'], ['t1']);
    const given = await executions.run(jobId, [s1], [t1]);
    expect((await undo(given.id, await matchedIn(given.id))).status).toBe(204);
    expect(await outcomesOf(given.id)).toEqual(['missing_in_source t1', 'missing_in_source u1', 'missing_in_target s1']);
    expect((await undo(id, made.id)).status).toBe(409);
    expect(await outcomesOf((await executions.run(jobId, [s1], [t1, u1])).id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    const { rows } = await executions.database.query('select id, execution_id, source, target from separations where job_id = $1', [jobId]);
    expect(rows).toEqual([{ id: made.id, execution_id: id, source: [s1], target: [t1] }]);
  });

  test('that a person has made of two that differ leaves them as different as they were', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, others.source, others.target);
    const { body: made } = await match(id, ['s3'], ['t3']);
    expect((await undo(id, made.id)).status).toBe(204);
    const rerun = await executions.run(jobId, others.source, others.target);
    expect(await outcomesOf(rerun.id)).toEqual(['matched s2 t2', 'mismatched s3 t3']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s3 t3']);
    const wider = { matching: [{ field: 'reference', type: 'exact' }] };
    expect((await dry(id, wider)).summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1 });
  });

  test('that took an open item gives it back, and what its arrival had closed is opened anew', async () => {
    const jobId = newJobId();
    await executions.run(jobId, [s1], []);
    const { id } = await executions.run(jobId, [], [t1]);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_later s1']);
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1', 'resolved matched_later s1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    await holds(id);
    const last = await executions.run(jobId, [], [u1]);
    expect(await outcomesOf(last.id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    await holds(last.id);
  });

  test('leaves its records open although a match that had left one of them over is undone, too', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [euro('s2', '20.00')], [euro('t2', '25.00'), euro('t9', '29.00')]);
    const { body: made } = await match(id, ['s2'], ['t9']);
    const later = await executions.run(jobId, [euro('u2', '25.00')], []);
    expect(await outcomesOf(later.id)).toEqual(['matched u2 t2']);
    expect((await undo(later.id, await matchedIn(later.id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['t2', 't9 retired', 'u2']);
    expect((await undo(id, made.id)).status).toBe(204);
    expect(await exceptionsOf(jobId)).toEqual(['open  s2 t2', 'open  t2', 'open  t9', 'open  u2', 'resolved matched_later t2']);
    expect(await itemsOf(jobId)).toEqual(['t2', 't9', 'u2']);
    await holds(id);
  });

  /** As if it had been so long ago that runs know nothing of it. */
  const forgetMatched = (jobId: string) => executions.database.query('delete from match_keys where job_id = $1', [jobId]);

  test('leaves a record settled that was written off in another run', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1], [t1]);
    await forgetMatched(jobId);
    await executions.run(jobId, [s1], []);
    const [{ id: open }] = await executions.exceptionsOf(jobId);
    await executions.must(200, executions.api.post(`/v1/exceptions/${open}/resolve`, { resolution: 'written_off' }));
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 't1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  t1', 'resolved written_off s1']);
    await holds(id);
  });

  test('leaves a record settled that was matched by hand in another run', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1], [t1]);
    await forgetMatched(jobId);
    const later = await executions.run(jobId, [s1], [euro('t9', '9.00')]);
    await executions.must(201, match(later.id, ['s1'], ['t9']));
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 't1', 't9 retired']);
    expect(await exceptionsOf(jobId)).toEqual(['open  t1', 'resolved matched_manually s1', 'resolved matched_manually t9']);
    const last = await executions.run(jobId, [s1], [t1, euro('t9', '9.00')]);
    expect(await outcomesOf(last.id)).toEqual(['matched s1 t9', 'missing_in_source t1']);
  });

  test('may be larger than any that a person makes, and not without bound', async () => {
    const jobId = newJobId();
    grouped.add(jobId);
    const orders = Array.from({ length: 1_500 }, (_, index) => euro(`s${index}`, '1.00', { reference: 'p' }));
    const payout = euro('t1', '1500.00', { reference: 'p' });
    const { id } = await executions.run(jobId, orders, [payout]);
    expect((await executions.api.get(`/v1/executions/${id}`)).body.summary).toMatchObject({ matched: 1 });
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    const { summary } = await holds(id);
    expect(summary).toMatchObject({ matched: 0, missingInTarget: 1_500, missingInSource: 1 });
    expect((await itemsOf(jobId)).length).toBe(1_501);
    const rerun = await executions.run(jobId, orders.slice(0, 10), [payout]);
    expect(rerun.summary).toMatchObject({ matched: 0, mismatched: 0, missingInTarget: 1_500, missingInSource: 1 });
    await holds(rerun.id);
    const tooMany = newJobId();
    grouped.add(tooMany);
    const records = Array.from({ length: 10_000 }, (_, index) => euro(`s${index}`, '1.00', { reference: 'p' }));
    const whole = await executions.run(tooMany, records, [euro('t1', '10000.00', { reference: 'p' })]);
    expect((await undo(whole.id, await matchedIn(whole.id))).body).toMatchObject({ status: 409, detail: expect.stringContaining('10001') });
  });

  test('that nobody may make again is told as the reason why its records are alone, and tried rules leave them so', async () => {
    const { jobId, id } = await undone();
    const open = await executions.exceptionsOf(jobId);
    const about = open.find(({ records }: { records: Fields[] }) => records[0]?.['id'] === 's1').id;
    const { candidates } = await executions.must(200, executions.api.get(`/v1/exceptions/${about}/explain`));
    expect(candidates).toMatchObject([
      { record: { id: 't1' }, outcome: 'missing_in_source', failed: [], smallestChange: null, effect: null, reason: 'taken_apart' },
    ]);
    const { summary } = await dry(id, { matching: [{ field: 'reference', type: 'exact' }] });
    expect(summary).toMatchObject({ matched: 0, missingInTarget: 1, missingInSource: 1 });
  });

  test('that was undone is no other organization’s to see, and nobody’s to change', async () => {
    const { rows } = await executions.database.query(
      `select grantee like '%\\_app' as app, string_agg(privilege_type, ' ' order by privilege_type) as may from information_schema.role_table_grants
        where table_name = 'separations' and grantee like any(array['%\\_app', '%\\_system']) group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { app: false, may: 'SELECT' },
      { app: true, may: 'INSERT SELECT' },
    ]);
    const { jobId } = await undone();
    const seenBy = (organization: string) =>
      postgres.organization(organization, async (trx) => {
        const { rows: seen } = await sql`select 1 from separations where job_id = ${jobId}`.execute(trx);
        return seen.length;
      });
    expect([await seenBy(organizationId), await seenBy(otherOrganizationId)]).toEqual([1, 0]);
  });
});

describe('while a run is going on', () => {
  /** The act waits for the lock first, and the end of the run, which has read and written everything by then, behind it. */
  const duringRun = async (
    jobId: string,
    act: () => ReturnType<typeof match>,
    inputs: Record<'source' | 'target', readonly Fields[]> = unclear,
  ) => {
    const { database, api, must } = executions;
    const waiting = (count: number, what: string) =>
      waitFor(async () => (await database.query(`select 1 from pg_locks where locktype = 'advisory' and not granted`)).rowCount === count, {
        what,
        timeoutMs: 20_000,
      });
    await database.query('begin');
    await database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${jobId}`]);
    const acting = act();
    await waiting(1, 'the act to wait');
    const { id } = await must(
      202,
      api.post(`/v1/jobs/${jobId}/executions`, { source: { records: inputs.source }, target: { records: inputs.target } }),
    );
    await waiting(2, 'the end of the run to wait');
    await database.query('commit');
    const { status } = await acting;
    await waitFor(async () => ((await api.get(`/v1/executions/${id}`)).body.status === 'completed' ? true : undefined), {
      what: `the end of ${id}`,
      timeoutMs: 20_000,
    });
    return { id: id as string, status };
  };

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
    expect((await executions.api.get(`/v1/executions/${during}`)).body.summary).toMatchObject({
      matched: 1,
      mismatched: 0,
      missingInSource: 2,
    });
    await holds(during);
    expect(await itemsOf(jobId)).toEqual(['s3', 't2', 't9 retired', 'u1']);
    const rerun = await executions.run(jobId, unclear.source, unclear.target);
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
      const { id } = await executions.run(jobId, unclear.source, unclear.target);
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

  test('a match of one of several without ids that say the same is of that one', async () => {
    const jobId = newJobId();
    const same: Fields = { amount: '10.00', currency: 'EUR', date: '2026-04-01', reference: 'cash' };
    const inputs = { source: [same, same, same], target: [euro('t9', '9.00', { reference: 'other' })] };
    const { id } = await executions.run(jobId, inputs.source, inputs.target);
    const linked = async (run: string): Promise<readonly (string | null)[]> =>
      (await executions.must(200, executions.api.get(`/v1/executions/${run}/results?outcome=missing_in_target`))).data.map(
        ({ exceptionId }: { exceptionId: string }) => exceptionId,
      );
    const [first, second, third] = await linked(id);
    const chosen = (await resultsOf(id))[1]?.id ?? '';
    const { id: during, status } = await duringRun(jobId, () => match(id, [chosen], ['t9']), inputs);
    expect(status).toBe(201);
    expect(await linked(during)).toEqual([first, third]);
    const open = await executions.exceptionsOf(jobId, '&status=open');
    expect(open.map((exception: { id: string }) => exception.id).sort()).toEqual([first, third].sort());
    expect((await executions.api.get(`/v1/exceptions/${second}`)).body).toMatchObject({ resolution: 'matched_manually' });
    await holds(during);
  });

  test('a match that is made keeps what the run has settled by its rules, for whoever undoes it', async () => {
    const jobId = newJobId();
    const [s3, t3, t9] = [euro('s3', '30.00'), euro('t3', '30.00'), euro('t9', '29.00')];
    const { id } = await executions.run(jobId, [s3], [t9]);
    const { id: during, status } = await duringRun(jobId, () => match(id, ['s3'], ['t9']), { source: [], target: [t3] });
    expect(status).toBe(201);
    expect(await outcomesOf(during)).toEqual(['matched s3 t9', 'missing_in_source t3']);
    expect(await itemsOf(jobId)).toEqual(['s3 retired', 't3', 't9 retired']);
    const made = (await resultsOf(id)).find(({ outcome }) => outcome === 'matched');
    expect((await undo(id, made?.id ?? '')).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s3', 't3', 't9']);
    const last = await executions.run(jobId, [], []);
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
    const { id } = await executions.run(jobId, inputs.source, inputs.target);
    const [first] = (await resultsOf(id)).filter(({ source }) => source[0]?.['id'] === 's1');
    const { id: during, status } = await duringRun(jobId, () => undo(id, first?.id ?? ''), inputs);
    expect(status).toBe(204);
    expect(await outcomesOf(during)).toEqual(['matched s2 t2', 'missing_in_source t1', 'missing_in_target s1']);
    const { summary } = await holds(during);
    expect(summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1, matchRate: 0.5 });
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    expect(await outcomesOf((await executions.run(jobId, inputs.source, inputs.target)).id)).toEqual(await outcomesOf(during));
  });
});
