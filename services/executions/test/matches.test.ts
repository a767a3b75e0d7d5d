import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { waitFor } from '@settler/harness';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyCertificate } from '../src/infrastructure/postgres/verify-certificate.ts';
import { type Executions, euro, type Fields, organizationId, otherOrganizationId, startExecutions } from './running-service.ts';

const manualReview = {
  conflictResolution: 'manual-review',
  minMargin: 0.1,
  passes: [
    {
      name: 'by reference',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' }, verify: true },
      ],
    },
  ],
};

let jobs = 0;
const newJobId = () => {
  jobs += 1;
  return `job_01jqv8m0c4e7r9t2w5y8a4${String(jobs).padStart(4, '0')}`;
};

/** Jobs that take a second person above 25.00 EUR. */
const limited = new Set<string>();

/** Jobs whose payouts are many orders each. */
const grouped = new Set<string>();
const byPayout = {
  passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
};

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await startExecutions((jobId) => {
    if (grouped.has(jobId)) return byPayout;
    return limited.has(jobId) ? { ...manualReview, approval: { above: { EUR: '25.00' } } } : manualReview;
  });
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres?.close();
  await executions?.stop();
});

interface Result {
  readonly id: string;
  readonly outcome: string;
  readonly source: readonly Fields[];
  readonly target: readonly Fields[];
  readonly manual: { readonly matchId: string } | null;
}

const resultsOf = async (id: string): Promise<Result[]> =>
  (await executions.must(200, executions.api.get(`/v1/executions/${id}/results?limit=200`))).data;
const outcomesOf = async (id: string) =>
  (await resultsOf(id))
    .map(({ outcome, source, target }) =>
      [outcome, ...[...source, ...target].map((record) => record['id'] ?? record['reference'])].join(' '),
    )
    .sort();
const exceptionsOf = async (jobId: string) =>
  (await executions.exceptionsOf(jobId))
    .map(({ status, resolution, records }: { status: string; resolution: string | null; records: Fields[] }) =>
      [status, resolution, ...records.map(({ id }) => id)].join(' '),
    )
    .sort();
const holds = async (executionId: string) => {
  const said: string[] = [];
  await verifyCertificate.run({ postgres, print: (line) => void said.push(line), encryptionKeys: () => [] }, { executionId });
  expect(said.join()).toMatch(/^The certificate holds/);
  const { certificate, summary, matchRate } = await executions.must(200, executions.api.get(`/v1/executions/${executionId}/report`));
  expect(certificate.holds).toBe(true);
  return { summary, matchRate };
};
const match = (executionId: string, source: readonly string[], target: readonly string[], note?: string) =>
  executions.api.post(`/v1/executions/${executionId}/matches`, { source, target, note });
const undo = (executionId: string, resultId: string) => executions.api.delete(`/v1/executions/${executionId}/matches/${resultId}`);
const stored = async (executionId: string) => {
  const { rows } = await executions.database.query(
    'select to_jsonb(r) as row from results r where execution_id = $1 order by position, id',
    [executionId],
  );
  const { rows: records } = await executions.database.query(
    `select side, currency, outcome, pass, sum(count)::int as count, sum(amount_minor)::text as amount from (
       select side, currency, outcome, pass, count, amount_minor from result_sums where execution_id = $1
       union all select side, currency, from_outcome, from_pass, -count, -count * amount_minor from result_renamings where execution_id = $1
       union all select side, currency, to_outcome, to_pass, count, count * amount_minor from result_renamings where execution_id = $1) as told
      group by 1, 2, 3, 4 having sum(count) <> 0 order by 1, 2, 3, 4`,
    [executionId],
  );
  return { results: rows.map(({ row }) => row), records };
};
const itemsOf = async (jobId: string) => {
  const { rows } = await executions.database.query(
    `select record ->> 'id' as id, retired_at is not null as retired from open_items where job_id = $1 order by 1`,
    [jobId],
  );
  return rows.map(({ id, retired }) => (retired ? `${id} retired` : id));
};

/** An order that two payments may be for, a pair that differs, and one of each side that is alone. */
const unclear = {
  source: [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00', { reference: 'alone' })],
  target: [
    euro('t1', '10.00'),
    euro('u1', '10.00', { reference: '1' }),
    euro('t2', '25.00'),
    euro('t9', '29.00', { reference: 'other', date: '2026-04-03' }),
  ],
};
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

  test('leaves a record settled that was written off in another run', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(jobId, [s1], [t1]);
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
    const orders = Array.from({ length: 4_000 }, (_, index) => euro(`s${index}`, '1.00', { reference: 'p' }));
    const payout = euro('t1', '4000.00', { reference: 'p' });
    const { id } = await executions.run(jobId, orders, [payout]);
    expect((await executions.api.get(`/v1/executions/${id}`)).body.summary).toMatchObject({ matched: 1 });
    expect((await undo(id, await matchedIn(id))).status).toBe(204);
    const { summary } = await holds(id);
    expect(summary).toMatchObject({ matched: 0, missingInTarget: 4_000, missingInSource: 1 });
    expect((await itemsOf(jobId)).length).toBe(4_001);
    const rerun = await executions.run(jobId, orders.slice(0, 10), [payout]);
    expect(rerun.summary).toMatchObject({ matched: 0, mismatched: 0, missingInTarget: 4_000, missingInSource: 1 });
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

describe('above what one person may settle', () => {
  const ann = 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6';
  const bob = 'usr_01jqv8m0c4e7r9t2w5y8a1b3d7';
  const keyOf = (ownerId?: string) => ({ kind: 'apiKey' as const, subject: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6', ownerId });
  const as = (who: { readonly kind?: 'apiKey'; readonly subject: string; readonly ownerId?: string | undefined }) =>
    executions.api.as({ token: () => executions.island.principalToken({ audience: 'executions', organizationId, scopes: ['*'], ...who }) });
  const withLimit = async () => {
    const jobId = newJobId();
    limited.add(jobId);
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
    const events = ['approval.requested', 'approval.decided'].map(async (type) =>
      (await executions.messages(type)).filter(({ approvalId }) => approvalId === id),
    );
    expect(await Promise.all(events)).toMatchObject([[{ status: 'pending', exceptionId: about('s3') }], [{ status: 'approved' }]]);
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

describe('rules that are tried', () => {
  const reportOf = async (answer: ReturnType<Executions['api']['get']>) => {
    const { id } = await executions.must(202, answer);
    await waitFor(async () => ((await executions.api.get(`/v1/executions/${id}`)).body.status === 'completed' ? true : undefined), {
      what: `the end of ${id}`,
      timeoutMs: 20_000,
    });
    return executions.must(200, executions.api.get(`/v1/executions/${id}/report`));
  };
  const tryOn = (id: string, rules: unknown) => reportOf(executions.api.post(`/v1/executions/${id}/try`, { rules, note: 'wider' }));
  const changesOf = ({ comparison }: { comparison: { diff: { lines: Record<string, unknown>[] } } }) =>
    comparison.diff.lines.map(({ change, side, count, amount }) => `${change} ${side} ${count} ${amount}`);
  const byReference = { matching: [{ field: 'reference', type: 'exact' }] };

  test('are run on the records that an execution has stored, and change nothing', async () => {
    const { jobId, id } = await withUnclear();
    const before = { ...(await stored(id)), exceptions: await exceptionsOf(jobId), items: await itemsOf(jobId) };
    const report = await tryOn(id, byReference);
    expect(report.comparison).toMatchObject({ executionId: id, matchRate: { before: 0, after: 0.6667 }, handMatches: { held: 0 } });
    expect(changesOf(report)).toEqual(['newly_matched source 2 30.00', 'newly_matched target 2 35.00']);
    expect(report.comparison.diff.examples[0]).toMatchObject({
      change: 'newly_matched',
      record: expect.objectContaining({ id: expect.any(String) }),
    });
    expect(report.certificate.holds).toBe(true);
    expect(changesOf(await tryOn(id, manualReview))).toEqual([]);
    expect({ ...(await stored(id)), exceptions: await exceptionsOf(jobId), items: await itemsOf(jobId) }).toEqual(before);
  });

  test('that are the same say the same, also where the run could not use some of its records', async () => {
    const jobId = newJobId();
    const { id, summary } = await executions.run(
      jobId,
      [euro('s1', '10.00'), euro('s2', '1.00'), euro('s2', '2.00')],
      [euro('t1', '10.00')],
    );
    expect(summary).toMatchObject({ invalid: 2, matched: 1, matchRate: 0.3333 });
    const { comparison } = await tryOn(id, manualReview);
    expect([comparison.matchRate, comparison.diff.lines]).toEqual([{ before: 1, after: 1 }, []]);
  });

  test('say what would be lost, and which matches by hand they would break', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(
      jobId,
      [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00', { reference: 'alone' })],
      [euro('t1', '10.00'), euro('t2', '20.50'), euro('t9', '30.00', { reference: 'other' }), euro('t3', '31.50', { reference: 'alone' })],
    );
    const { body: made } = await match(id, ['s3'], ['t9']);
    const exactly = {
      matching: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount' },
      ],
    };
    const narrow = await tryOn(id, exactly);
    expect(changesOf(narrow)).toEqual(['no_longer_matched source 1 20.00', 'no_longer_matched target 1 20.50']);
    expect(narrow.comparison.handMatches).toEqual({ held: 1, contradicted: [], changed: [] });
    expect((await tryOn(id, byReference)).comparison.handMatches).toEqual({ held: 1, contradicted: [made.id], changed: [] });
  });

  test('are refused where they are none, and where there is nothing to try them on', async () => {
    const { jobId, id } = await withUnclear();
    const none = await executions.api.post(`/v1/executions/${id}/try`, { rules: { matching: [] } });
    expect([none.status, none.body.errors[0].path]).toEqual([400, 'rules.matching']);
    const { id: dry } = await executions.must(
      202,
      executions.api.post(`/v1/jobs/${jobId}/executions`, { source: { records: [] }, target: { records: [] }, dryRun: true }),
    );
    expect((await executions.api.post(`/v1/executions/${dry}/try`, { rules: byReference })).status).toBe(409);
    expect((await executions.stranger.post(`/v1/executions/${id}/try`, { rules: byReference })).status).toBe(404);
  });

  test('of the job itself: a dry run is held against the last run', async () => {
    const { jobId, id } = await withUnclear();
    const dry = (source: readonly Fields[], target: readonly Fields[]) =>
      reportOf(
        executions.api.post(`/v1/jobs/${jobId}/executions`, { source: { records: source }, target: { records: target }, dryRun: true }),
      );
    const moved = await dry(
      [...unclear.source.slice(0, 2), euro('s7', '7.00')],
      [unclear.target[2] as Fields, euro('t7', '20.00', { reference: '2' })],
    );
    expect(moved.comparison).toMatchObject({ executionId: id });
    expect(changesOf(moved)).toEqual([
      'newly_matched source 1 20.00',
      'added source 1 7.00',
      'added target 1 20.00',
      'gone target 2 20.00',
    ]);
    const first = newJobId();
    const report = await reportOf(
      executions.api.post(`/v1/jobs/${first}/executions`, { source: { records: [] }, target: { records: [] }, dryRun: true }),
    );
    expect(report.comparison).toBeNull();
  });
});
