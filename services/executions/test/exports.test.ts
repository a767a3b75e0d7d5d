import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { routes } from '@settler/contracts/routes';
import { waitFor } from '@settler/harness';
import { readSheet } from 'read-excel-file/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResultView } from '../src/application/queries.ts';
import { columnNames } from '../src/routes/export/columns.ts';
import { csvCell } from '../src/routes/export/csv.ts';
import { workbook } from '../src/routes/export/workbook.ts';
import { byReference, type Executions, euro, shareExecutions } from './running-service.ts';

const withFees = 'job_01jqv8m0c4e7r9t2w5y8a5fees';
const feeRules = {
  passes: [
    {
      name: 'cards',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '0.02' }, fee: { percent: '2.9', fixed: '0.30' }, verify: true },
      ],
    },
    {
      name: 'payouts',
      cardinality: 'many-to-one',
      match: [{ source: 'payout', target: 'payout', type: 'exact' }],
      sum: { tolerance: { absolute: '0.00' }, fee: { percent: '1' } },
    },
  ],
};

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

const rulesOf: Readonly<Record<string, object>> = { [withFees]: feeRules, [withNet]: netRules, [declaring]: declaringRules };

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf[jobId] ?? byReference);
});
afterAll(() => executions.stop());

let jobs = 0;
const run = (source: Parameters<Executions['run']>[1], target: Parameters<Executions['run']>[2]) => {
  jobs += 1;
  return executions.run(`job_01jqv8m0c4e7r9t2w5y8a2${String(jobs).padStart(4, '0')}`, source, target);
};

/** By the letter of RFC 4180. */
const rowsOf = (text: string): string[][] => {
  expect(text.endsWith('\r\n')).toBe(true);
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(cell)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  return rows.slice(0, -1);
};
const asObjects = ([names = [], ...rows]: readonly (readonly unknown[])[]) =>
  rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]])));

const exported = (id: string, query: string) => executions.download(`/v1/executions/${id}/export?${query}`);
const listed = async (id: string, query = '') => {
  const all: ResultView[] = [];
  let cursor = '';
  do {
    const page = await executions.must(200, executions.api.get(`/v1/executions/${id}/results?limit=200${query}${cursor}`));
    all.push(...page.data);
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  return all;
};

describe('an export', () => {
  test('has every result once and in order, in each format, over many pages', { timeout: 60_000 }, async () => {
    const numbers = Array.from({ length: 1_203 }, (_, index) => index);
    const { id } = await run(
      numbers.map((index) => euro(`s${index}`, '10.00')),
      numbers.filter((index) => index % 3 !== 0).map((index) => euro(`t${index}`, '10.00')),
    );
    const results = await listed(id);
    const ids = results.map((result) => result.id);
    expect(ids.length).toBe(1_203);
    const lines = await exported(id, 'format=jsonl');
    expect(lines.headers.get('content-type')).toBe('application/jsonl; charset=utf-8');
    expect(
      (await lines.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(results);
    const text = await exported(id, 'format=csv');
    expect(text.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(text.headers.get('content-disposition')).toBe(`attachment; filename="settler-${id}.csv"`);
    const rows = rowsOf(await text.text());
    expect(rows[0]).toEqual(columnNames);
    expect(asObjects(rows).map((row) => row['id'])).toEqual(ids);
    const sheets = await exported(id, 'format=xlsx');
    const read = await readSheet(Buffer.from(await sheets.arrayBuffer()), 1);
    expect(asObjects(read).map((row) => row['id'])).toEqual(ids);
    const types = [text, lines, sheets].map(({ headers }) => headers.get('content-type')?.split(';')[0]);
    expect(types).toEqual(routes.exportResults.mediaTypes);
  });

  test('is narrowed as the list is, and says so in its name', async () => {
    const { id } = await run([euro('s1', '10.00'), euro('s2', '99.00'), euro('s3', '7.00')], [euro('t1', '10.00')]);
    for (const query of ['outcome=missing_in_target', 'pass=by%20reference', 'q=s2', 'minAmount=8']) {
      const wanted = (await listed(id, `&${query}`)).map((result) => result.id);
      expect(wanted.length).toBeLessThan(3);
      expect(asObjects(rowsOf(await (await exported(id, query)).text())).map((row) => row['id'])).toEqual(wanted);
    }
    const named = await exported(id, 'outcome=missing_in_target&format=xlsx');
    expect(named.headers.get('content-disposition')).toBe(`attachment; filename="settler-${id}-missing_in_target.xlsx"`);
    await named.arrayBuffer();
  });

  test('has a header and nothing else where there are no results', async () => {
    const { id } = await run([euro('s1', '10.00')], [euro('t1', '10.00')]);
    expect(rowsOf(await (await exported(id, 'q=nobody')).text())).toEqual([columnNames]);
    expect(await (await exported(id, 'q=nobody&format=jsonl')).text()).toBe('');
    expect(await readSheet(Buffer.from(await (await exported(id, 'q=nobody&format=xlsx')).arrayBuffer()), 1)).toEqual([columnNames]);
  });

  test('holds amounts and days as such, and what strangers wrote as text', async () => {
    const { id } = await run(
      [euro('s1', '-10.00', { reference: '=HYPERLINK("http://x.example")', counterparty: 'Müller, "Söhne"\n& <Co>' })],
      [euro('t1', '-10.01', { reference: '=HYPERLINK("http://x.example")' })],
    );
    const [row] = asObjects(rowsOf(await (await exported(id, 'format=csv')).text()));
    expect(row).toMatchObject({
      outcome: 'matched',
      cardinality: 'one-to-one',
      sourceIds: 's1',
      sourceAmount: '-10.00',
      sourceCurrency: 'EUR',
      sourceDate: '2026-04-01',
      sourceReferences: '\'=HYPERLINK("http://x.example")',
      sourceCounterparties: 'Müller, "Söhne"\n& <Co>',
      targetAmount: '-10.01',
      sourceRecords: '1',
    });
    const [cells] = asObjects(await readSheet(Buffer.from(await (await exported(id, 'format=xlsx')).arrayBuffer()), 1));
    expect(cells).toMatchObject({
      sourceAmount: -10,
      targetAmount: -10.01,
      sourceDate: new Date('2026-04-01'),
      sourceReferences: '=HYPERLINK("http://x.example")',
      sourceCounterparties: 'Müller, "Söhne"\n& <Co>',
    });
  });

  test('has sums of more digits than an amount may have, as the run, its report and its events have them', async () => {
    const { api, must } = executions;
    const most = String(Number.MAX_SAFE_INTEGER);
    const large = (id: string, amount: string) => euro(id, amount, { currency: 'JPY', payout: 'large', reference: undefined });
    const { id, summary } = await executions.run(
      withFees,
      Array.from({ length: 120 }, (_, index) => large(`l${index}`, most)),
      [large('p1', most)],
    );
    const sum = '1080863910568918920';
    expect(summary).toMatchObject({ mismatched: 1, source: { amount: sum }, byCurrency: { JPY: { source: { amount: sum } } } });
    const { certificate, outcomes } = await must(200, api.get(`/v1/executions/${id}/report`));
    expect([certificate.holds, outcomes[0].amount]).toEqual([true, sum]);
    const [exception] = await executions.exceptionsOf(withFees);
    expect(exception).toMatchObject({ amount: sum, currency: 'JPY', severity: 'critical' });
    expect(await executions.messages('exception.opened')).toContainEqual(expect.objectContaining({ amount: sum }));
    const [row] = asObjects(rowsOf(await (await exported(id, 'format=csv')).text()));
    expect(row).toMatchObject({ sourceAmount: sum, targetAmount: most });
  });

  test('is a conflict before the end, and does not exist for others', async () => {
    const { id } = await run([euro('s1', '10.00')], []);
    expect((await executions.stranger.get(`/v1/executions/${id}/export`)).status).toBe(404);
    await executions.database.query(`update executions set status = 'failed' where id = $1`, [id]);
    expect((await executions.api.get(`/v1/executions/${id}/export`)).body.code).toBe('conflict');
  });
});

describe('an export that cannot go on', () => {
  /** As many results as do not fit into the buffers between the service and a client that does not read. */
  const withMany = async (source: Parameters<Executions['run']>[1] = [], target: Parameters<Executions['run']>[2] = []) => {
    const { id } = await run([euro('s1', '10.00', { description: 'x'.repeat(2_000) }), ...source], target);
    const { rows } = await executions.database.query('select position from results where execution_id = $1', [id]);
    await executions.database.query(
      `insert into results select (jsonb_populate_record(r, jsonb_build_object('id', r.id || n, 'position', n + 9))).*
         from results r, generate_series(1, 20000) n where execution_id = $1 and source like '%xxx%'`,
      [id],
    );
    return { id, first: rows[0].position };
  };
  const open = async (id: string) => {
    const { url, token } = executions.address();
    const asked = request(`${url}/v1/executions/${id}/export?format=jsonl`, {
      headers: { authorization: `Bearer ${token}` },
      agent: false,
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    return { asked, answer };
  };

  test('is cut, so that a part never looks like the whole', { timeout: 60_000 }, async () => {
    const { id } = await withMany();
    const { answer } = await open(id);
    await executions.database.query('delete from executions where id = $1', [id]);
    await expect(buffer(answer)).rejects.toThrow(/aborted/);
    await waitFor(() => executions.logs().includes('an export was cut'), { what: 'the log to say so' });
  });

  test.each(['matches', 'undoes'])('is cut where somebody %s meanwhile, and is whole the next time', { timeout: 60_000 }, async (what) => {
    const { id } = await withMany([euro('s2', '20.00', { reference: 'other' })], [euro('t2', '20.00')]);
    const byHand = async () => {
      const records = { source: ['s2'], target: ['t2'], note: 'the same' };
      return (await executions.must(201, executions.api.post(`/v1/executions/${id}/matches`, records))).id;
    };
    const made = what === 'undoes' ? await byHand() : undefined;
    const { answer } = await open(id);
    if (made === undefined) await byHand();
    else await executions.must(204, executions.api.delete(`/v1/executions/${id}/matches/${made}`));
    await expect(buffer(answer)).rejects.toThrow(/aborted/);
    const whole = (await (await exported(id, 'format=jsonl')).text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as ResultView);
    const holding = whole.filter(({ source, target }) => /"[st]2"/.test(JSON.stringify([source, target])));
    expect(holding.map(({ outcome }) => outcome)).toEqual(what === 'matches' ? ['matched'] : ['missing_in_target', 'missing_in_source']);
  });

  test('holds no connection while its client reads nothing, and ends when it goes away', { timeout: 60_000 }, async () => {
    const { id } = await withMany();
    const opened = await Promise.all(Array.from({ length: 4 }, () => open(id)));
    const busy = async () =>
      (
        await executions.database.query(
          `select count(*)::int as n from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null and backend_type = 'client backend'`,
        )
      ).rows[0].n;
    await waitFor(async () => (await busy()) === 0, { what: 'no transaction to be open' });
    const refused = await executions.api.get(`/v1/executions/${id}/export`);
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    for (const { asked, answer } of opened) {
      answer.on('error', () => {});
      asked.destroy();
    }
    await waitFor(async () => (await executions.api.get(`/v1/executions/${id}/export?q=nobody`)).status === 200, { what: 'room again' });
  });
});

describe('a cell', () => {
  test.each([
    ['=1+1', "'=1+1"],
    ['+49 30 123', "'+49 30 123"],
    ['-2+3', "'-2+3"],
    ['@sum', "'@sum"],
    ['\tx', "'\tx"],
    ['\r=1', `"'\r'=1"`],
    ['＝1', "'＝1"],
    ['a;=1+1', "a;'=1+1"],
    ['a;"=1+1"', `"a;""'=1+1"""`],
    ['=1;@sum\t+2', "'=1;'@sum\t'+2"],
    ['\t=1', "'\t'=1"],
    ['a\r\n-2', `"a\r\n'-2"`],
    ['a; = b', 'a; = b'],
    ['-12.50', '-12.50'],
    ['12', '12'],
    ['a=b', 'a=b'],
    ['"a",b', '"""a"",b"'],
  ])('that says %j is written %j', (value, written) => {
    expect(csvCell({ type: 'text', value })).toBe(written);
  });
});

describe('a workbook', () => {
  const result = (number: number, record: object = {}): ResultView => ({
    ...{ id: `res_${number}`, outcome: 'matched', pass: null, cardinality: null, score: 0.5, margin: null, delta: null, conditions: [] },
    ...{ category: null, reason: null, line: null, dueOn: null, exceptionId: null, manual: null, target: [] },
    source: [{ id: `s${number}`, amount: '1.10', currency: 'EUR', ...record }],
  });
  const written = async (results: readonly ResultView[], rowsMax?: number) =>
    buffer(
      workbook(
        (async function* () {
          yield results;
        })(),
        rowsMax,
      ),
    );

  test('goes on in a next sheet where one is full, each with the header', async () => {
    const file = await written(
      [1, 2, 3, 4, 5].map((number) => result(number)),
      3,
    );
    const sheets = await Promise.all([1, 2, 3].map((number) => readSheet(file, number)));
    expect(sheets.map((rows) => rows[0])).toEqual([columnNames, columnNames, columnNames]);
    expect(sheets.map((rows) => asObjects(rows).map((row) => row['id']))).toEqual([['res_1', 'res_2'], ['res_3', 'res_4'], ['res_5']]);
    await expect(readSheet(file, 4)).rejects.toThrow();
  });

  test('keeps amounts that a double cannot hold as text, and anything that XML cannot hold readable', async () => {
    const file = await written([
      result(1, { amount: '999999999999999.99' }),
      result(2, { amount: '9999999999999.99' }),
      result(3, { reference: 'a\u0001b_x0041_\ud800', date: '1850-01-01' }),
      result(4, { reference: 'x'.repeat(40_000) }),
    ]);
    const rows = asObjects(await readSheet(file, 1));
    expect(rows.map((row) => row['sourceAmount'])).toEqual(['999999999999999.99', 9999999999999.99, 1.1, 1.1]);
    expect(rows[2]?.['sourceDate']).toBe('1850-01-01');
    expect(String(rows[2]?.['sourceReferences'])).toMatch(/^a\ufffdb/);
    expect(String(rows[3]?.['sourceReferences']).length).toBe(32_767);
  });

  test('fails where its results do', async () => {
    const pages = async function* () {
      yield [result(1)];
      throw new Error('the database is away');
    };
    await expect(buffer(workbook(pages()))).rejects.toThrow('the database is away');
  });
});

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

test('whoever asks for the head of a stream of events has it while the run goes on', async () => {
  const jobId = 'job_01jqv8m0c4e7r9t2w5y8a5head';
  // No run of the job comes to its end as long as this is held.
  await executions.database.query('begin');
  await executions.database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${jobId}`]);
  try {
    const input = { source: { records: [euro('s1', '10.00')] }, target: { records: [] } };
    const { id } = await executions.must(202, executions.api.post(`/v1/jobs/${jobId}/executions`, input));
    const { url, token } = executions.address();
    const head = await fetch(`${url}/v1/executions/${id}/events`, {
      method: 'HEAD',
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect((await executions.must(200, executions.api.get(`/v1/executions/${id}`))).completedAt).toBeNull();
  } finally {
    await executions.database.query('commit');
  }
});
