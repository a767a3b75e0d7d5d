import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { feeRules } from './fee-rules.ts';
import { byReference, type Executions, euro, shareExecutions } from './running-service.ts';

const withFees = 'job_01jqv8m0c4e7r9t2w5y8a5fees';
/** The provider says in a field of its own what it pays out, and one of two fees is agreed. */
const withNet = 'job_01jqv8m0c4e7r9t2w5y8a5netf';
const netAmount = (fee: object) => ({ source: 'amount', target: 'net', type: 'amount', fee });
const netRules = {
  passes: [
    {
      name: 'cards',
      match: [
        { field: 'reference', type: 'exact' },
        { ...netAmount({ percent: '2.9', fixed: '0.30' }), verify: true },
      ],
    },
    {
      name: 'either',
      match: [
        { field: 'note', type: 'exact' },
        { type: 'oneOf', conditions: [netAmount({ percent: '1' }), netAmount({ percent: '2' })], verify: true },
      ],
    },
  ],
};

/** No fee is agreed; what records declare is all there is. */
const declaring = 'job_01jqv8m0c4e7r9t2w5y8a5dec1';
const declaringRules = {
  passes: [
    {
      name: 'payouts',
      cardinality: 'many-to-one',
      match: [{ source: 'payout', target: 'payout', type: 'exact' }],
      sum: { tolerance: { absolute: '5.00' } },
    },
  ],
};

const jobWithoutFees = 'job_01jqv8m0c4e7r9t2w5y8a5n0fe';

const rulesOf: Readonly<Record<string, object>> = { [withFees]: feeRules, [withNet]: netRules, [declaring]: declaringRules };

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf[jobId] ?? byReference);
});
afterAll(() => executions.stop());

describe('the fees of a run', () => {
  const payout = { payout: 'po', reference: undefined };

  test('are what was charged against what was agreed and declared, and what differs too much is an exception', async () => {
    const { api, must } = executions;
    const { id } = await executions.run(
      withFees,
      [
        ...[euro('s1', '100.00'), euro('s2', '10.05'), euro('s3', '50.00'), euro('s4', '-20.00'), euro('s5', '1200', { currency: 'JPY' })],
        ...[euro('s6', '1.49', payout), euro('s7', '1.51', payout)],
      ],
      [
        ...[euro('t1', '96.80', { fee: '3.20' }), euro('t2', '9.47'), euro('t3', '47.00', { fee: '2.90' }), euro('t4', '-19.72')],
        ...[euro('t5', '1165', { currency: 'JPY' }), euro('t6', '2.97', payout)],
      ],
    );
    const { lines } = await must(200, api.get(`/v1/executions/${id}/fees`));
    const common = { pass: 'cards', currency: 'EUR' };
    expect(lines).toEqual([
      // 3.20 + 0.59 + 1.75 − 0.28: a refund has its percentage back, and costs the fixed amount all the same.
      {
        ...{ ...common, results: 4, gross: '140.05', net: '133.55', agreed: '5.26', declared: '6.10', charged: '6.50', drift: '1.24' },
        mismatches: { count: 1, drift: '1.25' },
      },
      {
        ...{ ...common, currency: 'JPY', results: 1, gross: '1200', net: '1165', agreed: '35', declared: null, charged: '35', drift: '0' },
        mismatches: { count: 0, drift: '0' },
      },
      {
        ...{
          ...common,
          pass: 'payouts',
          results: 1,
          gross: '3.00',
          net: '2.97',
          agreed: '0.03',
          declared: null,
          charged: '0.03',
          drift: '0.00',
        },
        mismatches: { count: 0, drift: '0.00' },
      },
    ]);
    const [exception] = await executions.exceptionsOf(withFees);
    expect(exception).toMatchObject({ category: 'fee_mismatch', records: [{ id: 's3' }, { id: 't3' }] });
    expect((await executions.stranger.get(`/v1/executions/${id}/fees`)).status).toBe(404);
  });
});

describe('where no fee is agreed', () => {
  test('only records of a match that declares one are read', async () => {
    const { id } = await executions.run(
      jobWithoutFees,
      [euro('n1', '100.00'), euro('n2', '50.00')],
      [euro('n1', '100.00', { fee: '3.20' }), euro('n2', '50.00')],
    );
    // Nobody can read these, and nobody has to: among hundreds of thousands it takes longer than anybody waits.
    const { rowCount } = await executions.database.query(
      `update results set source = '-' where execution_id = $1 and source not like '%"n1"%'`,
      [id],
    );
    expect(rowCount).toBe(1);
    const { lines } = await executions.must(200, executions.api.get(`/v1/executions/${id}/fees`));
    expect(lines).toMatchObject([{ pass: 'by reference', results: 1, agreed: null, declared: '3.20', charged: '0.00' }]);
  });
});

describe('a fee between two fields', () => {
  test('is what lies between those, and not between the amounts', async () => {
    const aside = { reference: undefined, note: 'n' };
    const { id, summary } = await executions.run(
      withNet,
      [euro('s1', '100.00'), euro('s2', '200.00', aside)],
      [euro('t1', '100.00', { fee: '3.20', net: '96.80' }), euro('t2', '200.00', { ...aside, net: '198.00' })],
    );
    expect(summary).toMatchObject({ matched: 2 });
    const { lines } = await executions.must(200, executions.api.get(`/v1/executions/${id}/fees`));
    const common = { currency: 'EUR', results: 1, drift: '0.00', mismatches: { count: 0, drift: '0.00' } };
    expect(lines).toEqual([
      { ...common, pass: 'cards', gross: '100.00', net: '96.80', agreed: '3.20', declared: '3.20', charged: '3.20' },
      { ...common, pass: 'either', gross: '200.00', net: '198.00', agreed: '2.00', declared: null, charged: '2.00' },
    ]);
  });
});

describe('fees that could be told wrongly', () => {
  const linesOf = async (id: string) => (await executions.must(200, executions.api.get(`/v1/executions/${id}/fees`))).lines;

  test('are exact, however large the amounts are', async () => {
    const amounts = ['63201234567.89', '9999999999999.99', '80123456789012.37', '13579135791357.93'];
    // By the rules, in cents: 2.9 % rounded half away from zero, and 0.30.
    const feeOf = (amount: string) => (BigInt(amount.replace('.', '')) * 29n + 500n) / 1_000n + 30n;
    const net = (amount: string) => {
      const cents = String(BigInt(amount.replace('.', '')) - feeOf(amount));
      return `${cents.slice(0, -2)}.${cents.slice(-2)}`;
    };
    const { id, summary } = await executions.run(
      withFees,
      amounts.map((amount, index) => euro(`sl${index}`, amount)),
      amounts.map((amount, index) => euro(`tl${index}`, net(amount))),
    );
    expect(summary).toMatchObject({ matched: 4 });
    const agreed = String(amounts.reduce((sum, amount) => sum + feeOf(amount), 0n)).replace(/(?=..$)/, '.');
    expect(await linesOf(id)).toMatchObject([{ pass: 'cards', agreed, charged: agreed, drift: '0.00' }]);
  });

  test('are of the alternative that a match has met, and of the first where it has met none', async () => {
    const aside = (note: string) => ({ reference: undefined, note });
    const { id, summary } = await executions.run(
      withNet,
      ['a', 'b', 'c'].map((note) => euro(`s${note}`, '200.00', aside(note))),
      [
        euro('ta', '200.00', { ...aside('a'), net: '198.00' }),
        euro('tb', '200.00', { ...aside('b'), net: '196.00' }),
        euro('tc', '200.00', { ...aside('c'), net: '195.00' }),
      ],
    );
    expect(summary).toMatchObject({ matched: 2, mismatched: 1 });
    expect(await linesOf(id)).toMatchObject([
      { pass: 'either', results: 3, charged: '11.00', agreed: '8.00', drift: '3.00', mismatches: { count: 1, drift: '3.00' } },
    ]);
  });

  test('are declared of a group only where each of its records declares one', async () => {
    const inGroup = (payout: string, fee?: string) => ({ payout, reference: undefined, ...(fee === undefined ? {} : { fee }) });
    const { id } = await executions.run(
      declaring,
      [
        ...[euro('s1', '50.00', inGroup('p', '1.00')), euro('s2', '50.00', inGroup('p'))],
        ...[euro('s3', '50.00', inGroup('q', '1.00')), euro('s4', '50.00', inGroup('q', '1.50'))],
      ],
      [euro('t1', '97.00', inGroup('p')), euro('t2', '97.00', inGroup('q'))],
    );
    expect(await linesOf(id)).toMatchObject([
      { results: 1, gross: '100.00', declared: '2.50', charged: '3.00', agreed: null, drift: '0.50' },
    ]);
  });
});

describe('the trend of a job', () => {
  test('has its runs, newest first and page by page, with what each opened', async () => {
    const { api, must } = executions;
    const jobId = 'job_01jqv8m0c4e7r9t2w5y8a5tren';
    const runs = [
      await executions.run(jobId, [euro('s1', '10.00'), euro('s2', '-4.00')], [euro('t1', '10.00')]),
      await executions.run(jobId, [euro('s3', '3.00')], [euro('t3', '3.00'), euro('t2', '-4.00')]),
    ].map(({ id }) => id);
    const first = await must(200, api.get(`/v1/reports/trend?jobId=${jobId}&limit=1`));
    expect(first.data).toMatchObject([{ executionId: runs[1], jobVersion: 1, summary: { matched: 2, matchRate: 1 }, opened: [] }]);
    const second = await must(200, api.get(`/v1/reports/trend?jobId=${jobId}&limit=1&cursor=${first.nextCursor}`));
    expect(second).toMatchObject({
      data: [
        {
          executionId: runs[0],
          summary: { matchRate: 0.5, source: { records: 2, amount: '6.00' } },
          opened: [{ category: 'missing_in_target', currency: 'EUR', count: 1, amount: '4.00' }],
        },
      ],
      nextCursor: null,
    });
    expect((await must(200, executions.stranger.get(`/v1/reports/trend?jobId=${jobId}`))).data).toEqual([]);
    // What a record says later is nothing to what was opened for it, nor is the amount of others in another currency.
    const changing = 'job_01jqv8m0c4e7r9t2w5y8a5trec';
    await executions.run(changing, [euro('s1', '10.00'), euro('s2', '-4.00'), euro('s3', '5', { currency: 'JPY' })], []);
    await executions.run(changing, [euro('s1', '9999.00')], []);
    const { data } = await must(200, api.get(`/v1/reports/trend?jobId=${changing}`));
    expect(data.map(({ opened }: { opened: unknown }) => opened)).toEqual([
      [],
      [
        { category: 'missing_in_target', currency: 'EUR', count: 2, amount: '14.00' },
        { category: 'missing_in_target', currency: 'JPY', count: 1, amount: '5' },
      ],
    ]);
    const { rows } = await executions.database.query('update executions set opened = null where job_id = $1 returning id', [jobId]);
    expect(rows).toHaveLength(2);
    expect((await must(200, api.get(`/v1/reports/trend?jobId=${jobId}`))).data[1].opened).toEqual([
      { category: 'missing_in_target', currency: 'EUR', count: 1, amount: '4.00' },
    ]);
  });
});
