import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lookingInto, manualReview, unclear } from './looking-into.ts';
import { createJobs, type Executions, euro, type Fields, flagging, byReference as nearly, shareExecutions } from './running-service.ts';

const { rulesOf, jobWith } = createJobs();
const archived = new Set<string>();
const newJobId = () => jobWith(manualReview);

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await shareExecutions(
    (jobId) => rulesOf.get(jobId),
    (jobId) => (archived.has(jobId) ? { status: 'archived' } : {}),
  );
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres?.close();
  await executions?.stop();
});

const { exceptionsOf, stored, itemsOf, outcomesOf, resultsOf } = lookingInto(
  () => executions,
  () => postgres,
);
const withUnclear = async () => {
  const jobId = newJobId();
  const { id } = await executions.run(jobId, unclear.source, unclear.target);
  return { jobId, id: id as string };
};

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

  type Sides = readonly [readonly Fields[], readonly Fields[]];
  const { id: _, ...nameless } = euro('s1', '3.00', { reference: 'A' });
  const exactly = {
    matching: [
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount' },
    ],
  };
  const within = (absolute: string) => ({ matching: [exactly.matching[0], { ...exactly.matching[1], tolerance: { absolute } }] });

  const ofA = (id: string, amount = '3.00') => euro(id, amount, { reference: 'A' });
  const ofB = (id: string) => euro(id, '3.00', { reference: 'B' });

  test.each<[string, readonly Sides[], Fields]>([
    ['that says the same as one', [[[nameless, nameless], [nameless]]], { ...nameless, amount: '3.05' }],
    [
      'that is open since its counterpart was corrected and repeats another record',
      [
        [[ofA('s1')], [ofA('t1')]],
        [[ofB('s2')], [ofB('t0'), ofB('t1')]],
      ],
      ofA('t3', '3.05'),
    ],
  ])('take no open item for a record that was matched before: one %s', async (_what, runs, comes) => {
    const flags = { duplicates: { by: ['reference', 'amount'], action: 'flag' } };
    const rules = runs.length > 1 ? { ...exactly, ...flags } : exactly;
    const jobId = jobWith(rules);
    for (const [source, target] of runs) await executions.run(jobId, source, target);
    const { id } = await executions.run(jobId, [], [comes]);
    expect((await resultsOf(id)).map(({ outcome }) => outcome)).toEqual(['missing_in_target', 'missing_in_source']);
    const same = await tryOn(id, rules);
    expect([same.comparison.matchRate, changesOf(same)]).toEqual([{ before: 0, after: 0 }, []]);
    const wider = await tryOn(id, within('0.10'));
    expect(wider.comparison.matchRate).toEqual({ before: 0, after: 1 });
    expect(changesOf(wider)).toEqual(['newly_matched source 1 3.00', 'newly_matched target 1 3.05']);
  });

  describe('that are the same find the same', () => {
    const paid = (id: string): Fields => euro(id, '10.00', { reference: 'CUST-7' });
    const anonymous = { amount: '10.00', currency: 'EUR', reference: 'CUST-7' };
    const cents = { ...anonymous, amount: '10.50' };

    const findTheSame = async (id: string, rules: object, outcomes: readonly string[]) => {
      expect((await outcomesOf(id)).sort()).toEqual([...outcomes].sort());
      const { outcomes: found, matchRate } = await executions.must(200, executions.api.get(`/v1/executions/${id}/report`));
      const tried = await tryOn(id, rules);
      expect(changesOf(tried)).toEqual([]);
      expect(tried.comparison.matchRate).toEqual({ before: matchRate, after: matchRate });
      const inOrder = (lines: readonly Fields[]) =>
        lines.map(({ outcome, side, pass, count, amount }) => [outcome, side, pass, count, amount].join(' ')).sort();
      expect(inOrder(tried.outcomes)).toEqual(inOrder(found));
    };

    test.each<[string, object, readonly Sides[], readonly string[]]>([
      [
        'a match that is kept',
        nearly,
        [
          [[paid('s1')], [paid('t1')]],
          [[paid('s2')], [paid('t1')]],
        ],
        ['matched t1', 'missing_in_target s2'],
      ],
      [
        'a match that is kept in the run before, too',
        nearly,
        [
          [[paid('s1')], [paid('t1')]],
          [[], [paid('t1')]],
          [[paid('s2')], [paid('t1')]],
        ],
        ['matched t1', 'missing_in_target s2'],
      ],
      [
        'records without ids, of which one is open and one keeps its match',
        nearly,
        [
          [[anonymous, anonymous], [anonymous]],
          [[anonymous, anonymous], []],
        ],
        ['matched CUST-7', 'missing_in_target CUST-7'],
      ],
      [
        'records without ids that are carried, and others that keep their match',
        nearly,
        [
          [
            [anonymous, anonymous, anonymous],
            [paid('t1'), paid('t2')],
          ],
          [[anonymous], [cents]],
          [[anonymous, anonymous], [paid('t1')]],
        ],
        ['matched CUST-7 t1', 'matched CUST-7'],
      ],
      [
        'a match that is kept by a record that is delivered twice',
        nearly,
        [
          [[paid('s1')], [paid('t1')]],
          [[paid('s2')], [paid('t1'), paid('t1')]],
        ],
        ['duplicate t1', 'matched t1', 'missing_in_target s2'],
      ],
      [
        'a former counterpart that is a duplicate',
        flagging,
        [
          [[paid('s1')], [paid('t1')]],
          [[paid('s2')], [paid('t2')]],
          [
            [paid('s1'), paid('s3')],
            [paid('t1'), paid('t2')],
          ],
        ],
        ['duplicate s3', 'matched s1 t1', 'matched t2'],
      ],
      [
        'a group of which some are there',
        { passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }] },
        [
          [[euro('s1', '4.00', { reference: 'p' }), euro('s2', '6.00', { reference: 'p' })], [euro('t1', '10.00', { reference: 'p' })]],
          [[euro('s1', '4.00', { reference: 'p' })], [euro('t1', '10.00', { reference: 'p' }), euro('t2', '4.00', { reference: 'p' })]],
        ],
        ['matched s1', 'matched t1', 'missing_in_source t2'],
      ],
    ])('%s', async (_what, rules, runs, outcomes) => {
      const jobId = jobWith(rules);
      let id = '';
      for (const [source, target] of runs) ({ id } = await executions.run(jobId, source, target));
      await findTheSame(id, rules, outcomes);
    });

    test('a match by hand of one of those that say the same, beside one that keeps its match', async () => {
      const jobId = jobWith(nearly);
      await executions.run(jobId, [anonymous], [paid('t1')]);
      const { id } = await executions.run(jobId, [anonymous, anonymous], [euro('t2', '12.00', { reference: 'other' })]);
      const results = await resultsOf(id);
      const missing = results.flatMap(({ outcome, id: result }) => (outcome.startsWith('missing') ? [result] : []));
      await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: missing.slice(0, 1), target: ['t2'] }));
      await findTheSame(id, nearly, ['matched CUST-7', 'matched CUST-7 t2']);
    });
  });

  test('are held against what people have matched and undone since', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(
      jobId,
      [euro('s1', '10.00'), euro('s2', '20.00')],
      [euro('t1', '10.00'), euro('t9', '20.00', { reference: 'other' })],
    );
    const rates = async () => {
      const { comparison } = await tryOn(id, manualReview);
      expect(changesOf({ comparison })).toEqual([]);
      return comparison.matchRate;
    };
    await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, { source: ['s2'], target: ['t9'] }));
    expect(await rates()).toEqual({ before: 1, after: 1 });
    const { data } = await executions.must(200, executions.api.get(`/v1/executions/${id}/results?outcome=matched`));
    for (const match of data) await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${match.id}`));
    expect(await rates()).toEqual({ before: 0, after: 0 });
  });

  test('say what would be lost, and which matches by hand they would break', async () => {
    const jobId = newJobId();
    const { id } = await executions.run(
      jobId,
      [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00', { reference: 'alone' })],
      [euro('t1', '10.00'), euro('t2', '20.50'), euro('t9', '30.00', { reference: 'other' }), euro('t3', '31.50', { reference: 'alone' })],
    );
    const { body: made } = await executions.api.post(`/v1/executions/${id}/matches`, { source: ['s3'], target: ['t9'] });
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
    archived.add(jobId);
    const { body } = await executions.api.post(`/v1/executions/${id}/try`, { rules: byReference });
    expect(body).toMatchObject({ status: 409, code: 'conflict', detail: 'This job is archived and can no longer run.' });
  });

  test('of the job itself: a dry run is held against the last run', async () => {
    const { jobId, id } = await withUnclear();
    const dry = (source: readonly Fields[], target: readonly Fields[]) =>
      reportOf(
        executions.api.post(`/v1/jobs/${jobId}/executions`, { source: { records: source }, target: { records: target }, dryRun: true }),
      );
    const moved = await dry(
      [unclear.source[1] as Fields, euro('s7', '7.00')],
      [unclear.target[2] as Fields, euro('t7', '20.00', { reference: '2' })],
    );
    expect(moved.comparison).toMatchObject({ executionId: id });
    expect(changesOf(moved)).toEqual([
      'newly_matched source 1 20.00',
      'added source 1 7.00',
      'added target 1 20.00',
      'gone source 1 10.00',
      'gone target 2 20.00',
    ]);
    const first = newJobId();
    const report = await reportOf(
      executions.api.post(`/v1/jobs/${first}/executions`, { source: { records: [] }, target: { records: [] }, dryRun: true }),
    );
    expect(report.comparison).toBeNull();
  });
});
