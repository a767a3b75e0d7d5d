import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executions, euro, shareExecutions } from './running-service.ts';

const jobIds = Array.from({ length: 8 }, (_, index) => `job_01jqv8m0c4e7r9t2w5y8a1b3f${index}`);
const [lateId, differsId, againId, goneId, invalidId, manyId, foreignId] = jobIds as [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
];
const rules = {
  passes: [
    {
      name: 'by reference',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' } },
        { field: 'date', type: 'date', within: { after: 2 } },
      ],
    },
  ],
};
const verified = {
  passes: [{ name: 'one', match: [rules.passes[0]?.match[0], { field: 'amount', type: 'amount', verify: true }] }],
};

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => (jobId === differsId ? verified : rules));
});
afterAll(() => executions.stop());

const explain = async (jobId: string, filter: string) => {
  const [exception] = await executions.exceptionsOf(jobId, filter);
  return executions.must(200, executions.api.get(`/v1/exceptions/${exception.id}/explain`));
};

describe('why a record has no counterpart', () => {
  test('is told with who came nearest, what stood in the way, what would have to give, and what else that would do', async () => {
    const { id } = await executions.run(
      lateId,
      [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00')],
      [euro('t1', '10.00', { date: '2026-04-05' }), euro('t2', '20.00', { date: '2026-04-04' }), euro('t3', '30.00')],
    );
    const told = await explain(lateId, '&category=missing_in_target&minAmount=10&q=s1');
    expect(told).toMatchObject({ executionId: id, reason: null, basis: { results: 5, of: 5 } });
    expect(told.candidates[0]).toEqual({
      record: euro('t1', '10.00', { date: '2026-04-05' }),
      pass: 'by reference',
      outcome: 'missing_in_source',
      resultId: expect.stringMatching(/^res_/),
      failed: [{ field: 'date', type: 'date', source: '2026-04-01', target: '2026-04-05', delta: 4, score: 0, passed: false }],
      smallestChange: [{ path: 'passes[0].match[2].within.after', from: 2, to: 4 }],
      effect: {
        gained: { records: 2, amounts: { EUR: '30.00' } },
        lost: { records: 0, amounts: {} },
        moved: { records: 0, amounts: {} },
      },
    });
  });

  test('a pair that differs is explained by what differs', async () => {
    await executions.run(differsId, [euro('s1', '10.00')], [euro('t1', '10.75')]);
    const { candidates } = await explain(differsId, '&category=amount_mismatch');
    expect(candidates).toMatchObject([
      {
        record: { id: 't1' },
        outcome: 'mismatched',
        failed: [{ type: 'amount', delta: '0.75' }],
        smallestChange: [{ path: 'passes[0].match[1].tolerance.absolute', to: '0.75' }],
        effect: { gained: { records: 1 } },
      },
    ]);
  });

  test('is told by the last run that the record was in, and honestly not where its results are gone', async () => {
    await executions.run(againId, [euro('s1', '10.00')], []);
    expect((await explain(againId, '&q=s1')).candidates).toEqual([]);
    const { id } = await executions.run(againId, [], [euro('t1', '10.00', { date: '2026-04-09' })]);
    expect(await explain(againId, '&q=s1')).toMatchObject({ executionId: id, candidates: [{ record: { id: 't1' } }] });

    const gone = await executions.run(goneId, [euro('s1', '10.00')], []);
    await executions.database.query('delete from results where execution_id = $1', [gone.id]);
    expect(await explain(goneId, '')).toEqual({ executionId: null, candidates: [], reason: 'records_gone', basis: null });
  });

  test('a record that could not be used has no candidates, and says why', async () => {
    await executions.run(invalidId, [euro('s1', '10.00'), euro('s1', '11.00')], [euro('t1', '10.00')]);
    expect(await explain(invalidId, '&category=invalid_record')).toMatchObject({ candidates: [], reason: 'unusable_record' });
  });

  test('in a large run is told from what is near, and says of how much', async () => {
    const many = 20_500;
    await executions.run(
      manyId,
      Array.from({ length: many }, (_, index) => euro(`s${index}`, `${index + 1}.00`)),
      Array.from({ length: many }, (_, index) => euro(`t${index}`, index === 7_000 ? '7001.40' : `${index + 1}.00`)),
    );
    const told = await explain(manyId, '&category=missing_in_target');
    expect(told.basis.of).toBe(many + 1);
    expect(told.basis.results).toBeLessThan(10_000);
    expect(told.candidates[0]).toMatchObject({
      record: { id: 't7000' },
      smallestChange: [{ path: 'passes[0].match[1].tolerance.absolute', to: '0.40' }],
      effect: { gained: { records: 1 } },
    });
  });

  test("of another organization's exception is told to nobody", async () => {
    await executions.run(foreignId, [euro('s1', '10.00')], []);
    const [{ id }] = await executions.exceptionsOf(foreignId);
    expect((await executions.stranger.get(`/v1/exceptions/${id}/explain`)).status).toBe(404);
  });
});
