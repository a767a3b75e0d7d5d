import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { byReference, createJobs, type Executions, euro, type Fields, startExecutions } from './running-service.ts';

const approval = { above: { EUR: '100.00' } };
const rules = {
  pairs: { ...byReference, approval },
  groups: {
    passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
    approval,
  },
  forgetful: { ...byReference, openItems: { carryForward: false }, approval },
};

const { rulesOf, jobWith } = createJobs();

let executions: Executions;
beforeAll(async () => {
  executions = await startExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions?.stop());

describe('what one person may settle', () => {
  const same = (amount: string): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference: 'cash' });

  test.each<readonly [string, keyof typeof rules, readonly Fields[], readonly Fields[], string | null]>([
    ['a pair of which one side is small', 'pairs', [euro('s1', '1.00')], [euro('t1', '90000.00')], '90000.00'],
    [
      'a group of which the first is small',
      'groups',
      [euro('s1', '1.00', { reference: 'p' }), euro('s2', '90000.00', { reference: 'p' })],
      [euro('t1', '10.00', { reference: 'p' })],
      '90001.00',
    ],
    ['many small records without ids that say the same', 'pairs', Array(3).fill(same('60.00')), [], '180.00'],
    ['records without ids of which nobody knows how many there are', 'forgetful', Array(3).fill(same('60.00')), [], null],
  ])('is told by all that its records come to: %s', async (_what, named, source, target, amount) => {
    const jobId = jobWith(rules[named]);
    await executions.run(jobId, source, target);
    const [exception, ...others] = await executions.exceptionsOf(jobId);
    expect(others).toEqual([]);
    const { data } = await executions.must(
      200,
      executions.api.post('/v1/exceptions/bulk-resolve', { ids: [exception.id], resolution: 'written_off' }),
    );
    expect(data).toEqual([{ id: exception.id, status: 'open', code: 'approval_required' }]);
    const at = `/v1/exceptions/${exception.id}`;
    await executions.must(409, executions.api.patch(at, { status: 'dismissed' }));
    const waiting = await executions.must(202, executions.api.post(`${at}/resolve`, { resolution: 'written_off' }));
    expect(waiting.pendingApproval).toMatchObject({ amount, currency: amount === null ? null : 'EUR' });
  });

  test('is found among any number of others by whoever resolves many, who comes to an end', async () => {
    const jobId = jobWith(rules.forgetful);
    await executions.run(
      jobId,
      Array.from({ length: 1_001 }, (_, index) => euro(`s${index}`, '500.00')),
      [],
    );
    await executions.run(jobId, [euro('small', '5.00')], []);
    const resolve = () =>
      executions.must(
        200,
        executions.api.post('/v1/exceptions/bulk-resolve', { filter: { jobId }, resolution: 'written_off', note: 'small change' }),
      );
    const first = await resolve();
    expect(first.data).toHaveLength(1_000);
    expect([first.hasMore, first.data[0].status, first.data[1].code]).toEqual([false, 'resolved', 'approval_required']);
    const second = await resolve();
    expect([second.hasMore, new Set(second.data.map(({ code }: { code: string }) => code))]).toEqual([
      false,
      new Set(['approval_required']),
    ]);
  });

  test('is everything up to the amount, however many records it has', async () => {
    for (const [named, source, target] of [
      [
        'groups',
        [euro('s1', '40.00', { reference: 'p' }), euro('s2', '60.00', { reference: 'p' })],
        [euro('t1', '99.00', { reference: 'p' })],
      ],
      ['pairs', [same('50.00'), same('50.00')], []],
    ] as const) {
      const jobId = jobWith(rules[named]);
      await executions.run(jobId, source, target);
      const [exception] = await executions.exceptionsOf(jobId);
      await executions.must(200, executions.api.post(`/v1/exceptions/${exception.id}/resolve`, { resolution: 'written_off' }));
    }
  });
});
