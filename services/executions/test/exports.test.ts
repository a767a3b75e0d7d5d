import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { routes } from '@settler/contracts/routes';
import { waitFor } from '@settler/harness';
import { readSheet } from 'read-excel-file/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResultView } from '../src/application/queries.ts';
import { csvCell } from '../src/routes/export/csv.ts';
import { exceptions } from '../src/routes/export/exceptions.ts';
import { results as resultTable } from '../src/routes/export/results.ts';
import { workbook } from '../src/routes/export/workbook.ts';
import { feeRules } from './fee-rules.ts';
import { byReference, type Executions, euro, shareExecutions } from './running-service.ts';

const withFees = 'job_01jqv8m0c4e7r9t2w5y8a5fees';

const columnNames = resultTable.columns.map(([name]) => name);

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => (jobId === withFees ? feeRules : byReference));
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
const listedAt = async <Item>(path: string): Promise<Item[]> => {
  const all: Item[] = [];
  let cursor = '';
  do {
    const page = await executions.must(200, executions.api.get(`${path}&limit=200${cursor}`));
    all.push(...page.data);
    cursor = page.nextCursor === null ? '' : `&cursor=${page.nextCursor}`;
  } while (cursor !== '');
  return all;
};
const listed = (id: string, query = '') => listedAt<ResultView>(`/v1/executions/${id}/results?${query}`);

describe('an export of exceptions', () => {
  const exportedOf = (jobId: string, query = '') => executions.download(`/v1/exceptions/export?jobId=${jobId}${query}`);

  test('has each that the list has, in its order and over several pages, in each format', async () => {
    const numbers = Array.from({ length: 1_102 }, (_, index) => index);
    const { jobId } = await run(
      numbers.map((index) => euro(`s${index}`, index === 5 ? '900.00' : '10.00', { counterparty: '=SUM(A1)' })),
      [],
    );
    const [first] = await executions.exceptionsOf(jobId);
    await executions.must(200, executions.api.patch(`/v1/exceptions/${first.id}`, { status: 'in_progress', severity: 'critical' }));
    const all = await listedAt<{ readonly id: string }>(`/v1/exceptions?jobId=${jobId}`);
    expect(all).toHaveLength(1_102);
    const lines = await exportedOf(jobId, '&format=jsonl');
    expect(lines.headers.get('content-disposition')).toMatch(/^attachment; filename="settler-exceptions-\d{4}-\d\d-\d\d\.jsonl"$/);
    expect(
      (await lines.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(all);
    const rows = rowsOf(await (await exportedOf(jobId)).text());
    expect(rows[0]).toEqual(exceptions.columns.map(([name]) => name));
    const [row] = asObjects(rows);
    expect(asObjects(rows).map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    expect(row).toMatchObject({
      jobId,
      category: 'missing_in_target',
      severity: 'critical',
      status: 'in_progress',
      amount: first.amount,
      currency: 'EUR',
      ageDays: '0',
      assigneeId: '',
      counterparties: "'=SUM(A1)",
      records: '1',
    });
    const sheet = asObjects(await readSheet(Buffer.from(await (await exportedOf(jobId, '&format=xlsx&minAmount=500')).arrayBuffer()), 1));
    expect(sheet.map(({ amount, counterparties }) => [amount, counterparties])).toEqual([[900, '=SUM(A1)']]);
    expect(rowsOf(await (await exportedOf(jobId, '&status=resolved')).text())).toHaveLength(1);
  });

  test('has both sides of what differs, and by how much, in each format', async () => {
    const { jobId } = await run(
      [euro('s1', '10000.00'), euro('s2', '5.00')],
      [euro('t1', '10000.05', { date: '2026-04-03', counterparty: 'Bank' })],
    );
    const written = asObjects(rowsOf(await (await exportedOf(jobId, '&category=amount_mismatch')).text()));
    expect(written).toMatchObject([
      {
        amount: '10000.05',
        sourceIds: 's1',
        sourceAmount: '10000.00',
        targetIds: 't1',
        targetAmount: '10000.05',
        targetDate: '2026-04-03',
        targetCounterparties: 'Bank',
        targetRecords: '1',
        deltaAmount: '0.05',
        deltaDays: '2',
      },
    ]);
    const [alone] = asObjects(rowsOf(await (await exportedOf(jobId, '&category=missing_in_target')).text()));
    expect(alone).toMatchObject({ sourceIds: 's2', targetIds: '', targetAmount: '', targetRecords: '0', deltaAmount: '', deltaDays: '' });
    const sheet = await readSheet(Buffer.from(await (await exportedOf(jobId, '&format=xlsx&q=s1')).arrayBuffer()), 1);
    expect(asObjects(sheet)).toMatchObject([{ sourceAmount: 10000, targetAmount: 10000.05, deltaAmount: 0.05, deltaDays: 2 }]);
    const [line = ''] = (await (await exportedOf(jobId, '&format=jsonl&q=s1')).text()).split('\n');
    expect(JSON.parse(line)).toMatchObject({ sides: ['source', 'target'], delta: { amount: '0.05', days: 2 } });
  });

  test('is refused where the filter is none, and has nothing of another organization', async () => {
    const { jobId } = await run([euro('s1', '10.00')], []);
    const { status, body } = await executions.api.get('/v1/exceptions/export?status=lost');
    expect([status, body.errors[0].path]).toEqual([400, 'status']);
    const strangers = await executions.stranger.get(`/v1/exceptions/export?jobId=${jobId}&format=jsonl`);
    expect([strangers.status, strangers.body ?? '']).toEqual([200, '']);
  });
});

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
      `insert into results select made.*
         from results r, generate_series(1, 20000) n,
              jsonb_populate_record(r, jsonb_build_object('id', r.id || n, 'position', n + 9)) made
        where r.execution_id = $1 and r.source like '%xxx%'`,
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
    ...{ category: null, reason: null, line: null, dueOn: null, exceptionId: null, manual: null, runnerUp: null, target: [] },
    source: [{ id: `s${number}`, amount: '1.10', currency: 'EUR', ...record }],
  });
  const written = async (results: readonly ResultView[], rowsMax?: number) =>
    buffer(
      workbook(
        resultTable,
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
    await expect(buffer(workbook(resultTable, pages()))).rejects.toThrow('the database is away');
  });
});
