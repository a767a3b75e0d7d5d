import { waitFor } from '@settler/harness';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { matchedByPeople } from './matched-by-people.ts';
import { euro, type Fields, organizationId, otherOrganizationId } from './running-service.ts';

const { executions, newJobId, grouped, match, undo, resultsOf, outcomesOf, exceptionsOf, holds, itemsOf, postgres } = matchedByPeople();

describe('a match of the rules', () => {
  const [s1, t1, u1] = [euro('s1', '10.00'), euro('t1', '10.00'), euro('u1', '10.00', { reference: '1' })];
  const others = { source: [euro('s2', '20.00'), euro('s3', '30.00')], target: [euro('t2', '20.00'), euro('t3', '33.00')] };
  const matchedIn = async (id: string) => (await resultsOf(id)).find(({ outcome }) => outcome === 'matched')?.id ?? '';
  /** Other rules, tried on what the execution has stored. */
  const dry = async (id: string, rules: object) => {
    const tried = await executions().must(202, executions().api.post(`/v1/executions/${id}/try`, { rules }));
    return waitFor(
      async () => {
        const { body } = await executions().api.get(`/v1/executions/${tried.id}`);
        return body.status === 'completed' ? body : undefined;
      },
      { what: `the end of ${tried.id}`, timeoutMs: 20_000 },
    );
  };
  const undone = async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1]);
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    return { jobId, id: id as string };
  };

  test('is undone: its records are missing, open, and wait for others', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1, ...others.source], [t1, ...others.target]);
    expect(await outcomesOf(id)).toEqual(['matched s1 t1', 'matched s2 t2', 'mismatched s3 t3']);
    const result = (await resultsOf(id)).find(({ source }) => source[0]?.['id'] === 's1')?.id ?? '';
    const before = await executions().must(200, executions().api.get(`/v1/executions/${id}`));
    const stale = await executions().api.delete(`/v1/executions/${id}/matches/${result}`, { headers: { 'if-match': '"7"' } });
    expect(stale.status).toBe(412);
    expect((await executions().stranger.delete(`/v1/executions/${id}/matches/${result}`)).status).toBe(404);
    const undone = await executions().api.delete(`/v1/executions/${id}/matches/${result}`, { headers: { 'if-match': '"1"' } });
    expect(undone.status).toBe(204);
    expect(await outcomesOf(id)).toEqual(['matched s2 t2', 'mismatched s3 t3', 'missing_in_source t1', 'missing_in_target s1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  s3 t3', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    const { summary, matchRate } = await holds(id);
    expect(summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1, byCurrency: { EUR: { matched: 1 } } });
    expect([before.summary.matchRate, matchRate]).toEqual([0.6667, 0.3333]);
    const removed = (await executions().messages('match.removed')).filter(({ matchId }) => matchId === result);
    expect(removed).toMatchObject([{ reason: 'undone', executionId: id, sourceRecords: 1, targetRecords: 1 }]);
    const audited = (await executions().messages('audit.recorded')).filter(({ resource }) => resource.id === result);
    expect(audited).toMatchObject([{ action: 'match.removed', actor: { type: 'user' }, after: { reason: 'undone' } }]);
    expect((await undo(id, result)).status).toBe(404);
    const differing = (await resultsOf(id)).find(({ outcome }) => outcome === 'mismatched')?.id ?? '';
    expect((await undo(id, differing)).body).toMatchObject({ status: 409, detail: expect.stringContaining('mismatched') });
  });

  test('stays apart in later runs, delivered again or not, until one of its records says something else', async () => {
    const { jobId } = await undone();
    const asItems = await executions().run(jobId, [], []);
    expect(await outcomesOf(asItems.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    const again = await executions().run(jobId, [s1], [t1]);
    expect(await outcomesOf(again.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1']);
    await holds(again.id);
    const changed = await executions().run(jobId, [s1], [{ ...t1, date: '2026-04-02' }]);
    expect(await outcomesOf(changed.id)).toEqual(['matched s1 t1']);
    expect(await itemsOf(jobId)).toEqual([]);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_later s1', 'resolved matched_later t1']);
  });

  test('leaves its records to others, and to whoever matches them by hand later', async () => {
    const { jobId, id } = await undone();
    const rerun = await executions().run(jobId, [s1], [t1, u1]);
    expect(await outcomesOf(rerun.id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    const both = await undone();
    const { body: made } = await match(both.id, ['s1'], ['t1'], 'after all');
    const given = await executions().run(both.jobId, [s1], [t1]);
    expect(await outcomesOf(given.id)).toEqual(['matched s1 t1']);
    expect((await resultsOf(given.id))[0]).toMatchObject({ manual: { matchId: made.id } });
    expect((await undo(both.id, made.id)).status).toBe(204);
    expect(await outcomesOf(both.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect(await outcomesOf((await executions().run(both.jobId, [s1], [t1])).id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    await holds(id);
  });

  test('that a person has made stays apart, too, where the rules would make it', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1, u1]);
    const { body: made } = await match(id, ['s1'], ['t1']);
    const given = await executions().run(jobId, [s1], [t1]);
    expect((await undo(given.id, await matchedIn(given.id))).status).toBe(204);
    expect(await outcomesOf(given.id)).toEqual(['missing_in_source t1', 'missing_in_source u1', 'missing_in_target s1']);
    expect((await undo(id, made.id)).status).toBe(409);
    expect(await outcomesOf((await executions().run(jobId, [s1], [t1, u1])).id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    const { rows } = await executions().database.query('select id, execution_id, source, target from separations where job_id = $1', [
      jobId,
    ]);
    expect(rows).toEqual([{ id: made.id, execution_id: id, source: [s1], target: [t1] }]);
  });

  test('that a person has made of two that differ leaves them as different as they were', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, others.source, others.target);
    const { body: made } = await match(id, ['s3'], ['t3']);
    expect((await undo(id, made.id)).status).toBe(204);
    const rerun = await executions().run(jobId, others.source, others.target);
    expect(await outcomesOf(rerun.id)).toEqual(['matched s2 t2', 'mismatched s3 t3']);
    expect(await exceptionsOf(jobId)).toEqual(['open  s3 t3']);
    const wider = { matching: [{ field: 'reference', type: 'exact' }] };
    expect((await dry(id, wider)).summary).toMatchObject({ matched: 1, missingInTarget: 1, missingInSource: 1 });
  });

  test('that took an open item gives it back, and what its arrival had closed is opened anew', async () => {
    const jobId = newJobId();
    await executions().run(jobId, [s1], []);
    const { id } = await executions().run(jobId, [], [t1]);
    expect(await exceptionsOf(jobId)).toEqual(['resolved matched_later s1']);
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1', 'resolved matched_later s1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    await holds(id);
    const last = await executions().run(jobId, [], [u1]);
    expect(await outcomesOf(last.id)).toEqual(['matched s1 u1', 'missing_in_source t1']);
    await holds(last.id);
  });

  test('leaves its records open although a match that had left one of them over is undone, too', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [euro('s2', '20.00')], [euro('t2', '25.00'), euro('t9', '29.00')]);
    const { body: made } = await match(id, ['s2'], ['t9']);
    const later = await executions().run(jobId, [euro('u2', '25.00')], []);
    expect(await outcomesOf(later.id)).toEqual(['matched u2 t2']);
    expect((await undo(later.id, await matchedIn(later.id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['t2', 't9 retired', 'u2']);
    expect((await undo(id, made.id)).status).toBe(204);
    expect(await exceptionsOf(jobId)).toEqual([
      'open  s2',
      'open  t2',
      'open  t9',
      'open  u2',
      'resolved matched_later t2',
      'resolved matched_manually s2 t2',
    ]);
    expect(await itemsOf(jobId)).toEqual(['s2', 't2', 't9', 'u2']);
    await holds(id);
  });

  test('is refused while a later run has one of its records in another version, or with others, and names where', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1]);
    const later = await executions().run(jobId, [], [{ ...t1, amount: '15.00' }]);
    expect(await outcomesOf(later.id)).toEqual(['mismatched s1 t1']);
    expect((await undo(id, await matchedIn(id))).body).toMatchObject({ status: 409, detail: expect.stringContaining(later.id) });
    expect(await itemsOf(jobId)).toEqual([]);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1 t1']);
    const last = await executions().run(jobId, [], [{ ...t1, reference: 'other' }]);
    expect(await outcomesOf(last.id)).toEqual(['missing_in_source t1', 'missing_in_target s1']);
    expect((await undo(id, await matchedIn(id))).body).toMatchObject({ status: 409, detail: expect.stringContaining(last.id) });
  });

  /** As if it had been so long ago that runs know nothing of it. */
  const forgetMatched = (jobId: string) => executions().database.query('delete from match_keys where job_id = $1', [jobId]);

  test('leaves a record settled that was written off in another run', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1]);
    await forgetMatched(jobId);
    await executions().run(jobId, [s1], []);
    const [{ id: open }] = await executions().exceptionsOf(jobId);
    await executions().must(200, executions().api.post(`/v1/exceptions/${open}/resolve`, { resolution: 'written_off' }));
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 't1']);
    expect(await exceptionsOf(jobId)).toEqual(['open  t1', 'resolved written_off s1']);
    await holds(id);
  });

  test('has a record take part again that was written off in another version', async () => {
    const jobId = newJobId();
    await executions().run(jobId, [], [{ ...t1, amount: '15.00' }]);
    const [{ id: open }] = await executions().exceptionsOf(jobId);
    await executions().must(200, executions().api.post(`/v1/exceptions/${open}/resolve`, { resolution: 'written_off' }));
    const { id } = await executions().run(jobId, [s1], [t1]);
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1', 'resolved written_off t1']);
    expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
    const last = await executions().run(jobId, [euro('s7', '10.00', { reference: '1' })], []);
    expect(await outcomesOf(last.id)).toEqual(['matched s7 t1', 'missing_in_target s1']);
  });

  test('leaves a record settled that was matched by hand in another run', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [s1], [t1]);
    await forgetMatched(jobId);
    const later = await executions().run(jobId, [s1], [euro('t9', '9.00')]);
    await executions().must(201, match(later.id, ['s1'], ['t9']));
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 't1', 't9 retired']);
    expect(await exceptionsOf(jobId)).toEqual(['open  t1', 'resolved matched_manually s1', 'resolved matched_manually t9']);
    const last = await executions().run(jobId, [s1], [t1, euro('t9', '9.00')]);
    expect(await outcomesOf(last.id)).toEqual(['matched s1 t9', 'missing_in_source t1']);
  });

  test('may be larger than any that a person makes, and not without bound', async () => {
    const jobId = newJobId();
    grouped.add(jobId);
    const orders = Array.from({ length: 1_500 }, (_, index) => euro(`s${index}`, '1.00', { reference: 'p' }));
    const payout = euro('t1', '1500.00', { reference: 'p' });
    const { id } = await executions().run(jobId, orders, [payout]);
    expect((await executions().api.get(`/v1/executions/${id}`)).body.summary).toMatchObject({ matched: 1 });
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    const { summary } = await holds(id);
    expect(summary).toMatchObject({ matched: 0, missingInTarget: 1_500, missingInSource: 1 });
    expect((await itemsOf(jobId)).length).toBe(1_501);
    const rerun = await executions().run(jobId, orders.slice(0, 10), [payout]);
    expect(rerun.summary).toMatchObject({ matched: 0, mismatched: 0, missingInTarget: 1_500, missingInSource: 1 });
    await holds(rerun.id);
    const tooMany = newJobId();
    grouped.add(tooMany);
    const records = Array.from({ length: 10_000 }, (_, index) => euro(`s${index}`, '1.00', { reference: 'p' }));
    const whole = await executions().run(tooMany, records, [euro('t1', '10000.00', { reference: 'p' })]);
    expect((await undo(whole.id, await matchedIn(whole.id))).body).toMatchObject({ status: 409, detail: expect.stringContaining('10001') });
  });

  test('that nobody may make again is told as the reason why its records are alone, and tried rules leave them so', async () => {
    const { jobId, id } = await undone();
    const open = await executions().exceptionsOf(jobId);
    const about = open.find(({ records }: { records: Fields[] }) => records[0]?.['id'] === 's1').id;
    const { candidates } = await executions().must(200, executions().api.get(`/v1/exceptions/${about}/explain`));
    expect(candidates).toMatchObject([
      { record: { id: 't1' }, outcome: 'missing_in_source', failed: [], smallestChange: null, effect: null, reason: 'taken_apart' },
    ]);
    const { summary } = await dry(id, { matching: [{ field: 'reference', type: 'exact' }] });
    expect(summary).toMatchObject({ matched: 0, missingInTarget: 1, missingInSource: 1 });
  });

  test('that was undone is no other organization’s to see, and nobody’s to change', async () => {
    const { rows } = await executions().database.query(
      `select grantee like '%\\_app' as app, string_agg(privilege_type, ' ' order by privilege_type) as may from information_schema.role_table_grants
        where table_name = 'separations' and grantee like any(array['%\\_app', '%\\_system']) group by 1 order by 1`,
    );
    expect(rows).toEqual([
      { app: false, may: 'SELECT' },
      { app: true, may: 'INSERT SELECT' },
    ]);
    const { jobId } = await undone();
    const seenBy = (organization: string) =>
      postgres().organization(organization, async (trx) => {
        const { rows: seen } = await sql`select 1 from separations where job_id = ${jobId}`.execute(trx);
        return seen.length;
      });
    expect([await seenBy(organizationId), await seenBy(otherOrganizationId)]).toEqual([1, 0]);
  });
});
