import type { Options } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyCertificate } from '../src/infrastructure/postgres/reports/verify-certificate.ts';
import { type Executions, euro, shareExecutions } from './running-service.ts';

const ofFiles = 'job_01jqv8m0c4e7r9t2w5y8a39999';
const fields = { id: 'id', amount: 'amount', currency: 'currency', date: 'date', reference: 'reference' };
/** One that can be read, and some that can in part. */
const csv = `id,amount,currency,date,reference
s1,1.00,EUR,2026-04-01,1
s2,1.005,EUR,2026-04-01,2
s3,1.5,JPY,2026-04-01,3
s4,3.00,euro,2026-04-01,4
s5,99999999999999.99,EUR,2026-04-01,5
s6,4.00,EUR,2026-02-30,6
s7,6.00,,2026-04-01,7
,7.000,KWD,2026-04-01,8
s9,8.00,EUR,2026-04-01,9
s9,8.50,EUR,2026-04-01,9
`;

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await shareExecutions(undefined, (jobId) => (jobId === ofFiles ? { source: { adapter: 'csv', config: { fields } } } : {}));
  postgres = executions.openPostgres();
});
afterAll(async () => {
  await postgres?.close();
  await executions.stop();
});

const verify = async (executionId: string): Promise<string> => {
  const said: string[] = [];
  const options: Options = { executionId };
  await verifyCertificate.run({ postgres, print: (line) => void said.push(line), encryptionKeys: () => [] }, options);
  return said.join('\n');
};

let jobs = 0;
const withAll = async () => {
  jobs += 1;
  const jobId = `job_01jqv8m0c4e7r9t2w5y8a3${String(jobs).padStart(4, '0')}`;
  await executions.run(jobId, [euro('s7', '70.00')], []);
  const { id } = await executions.run(
    jobId,
    [
      euro('s1', '-10.00'),
      euro('s2', '5.5'),
      euro('s2', '5.5'),
      euro('s3', '1200', { currency: 'JPY' }),
      euro('s4', '1.00'),
      euro('s5', '8.00'),
      euro('s5', '9.00'),
      { id: 's9', reference: '9' },
    ],
    [
      euro('t1', '-10.01'),
      euro('t7', '70.00'),
      euro('t8', '0.99'),
      euro('t4', '9.00'),
      euro('t5', '105', { currency: 'JPY' }),
      euro('t5', '106', { currency: 'JPY' }),
    ],
  );
  return id as string;
};

describe('verifying a certificate', () => {
  test('says that it holds where every stored row says the same', async () => {
    expect(await verify(await withAll())).toMatch(/^The certificate holds: [0-9]+ lines/);
  });

  test('says so, too, where records could not be read, or not all of them', async () => {
    const upload = executions.api.post('/v1/files?name=source.csv', undefined, { raw: csv, headers: { 'content-type': 'text/csv' } });
    const file = await executions.must(201, upload);
    const { id } = await executions.must(
      202,
      executions.api.post(`/v1/jobs/${ofFiles}/executions`, { source: { fileId: file.id }, target: { records: [] } }),
    );
    const { summary } = await executions.settled(id);
    expect(summary).toMatchObject({ missingInTarget: 1, invalid: 9, source: { records: 10 } });
    expect(await verify(id)).toMatch(/^The certificate holds/);
  });

  test('fails where a record was changed, lost or added after the run', async () => {
    for (const change of [
      `update result_sums set amount_minor = amount_minor + 1 where ctid = (select ctid from result_sums where execution_id = $1 and currency = 'EUR' limit 1)`,
      `update results set source = jsonb_set(source::jsonb, '{0,amount}', '"10.01"')::text where execution_id = $1 and source::json -> 0 ->> 'id' = 's1'`,
      `delete from results where execution_id = $1 and source::json -> 0 ->> 'id' = 's3'`,
      `insert into results select (jsonb_populate_record(r, '{"id": "another"}')).* from results r where execution_id = $1 limit 1`,
    ]) {
      const id = await withAll();
      await executions.database.query(change, [id]);
      await expect(verify(id), change).rejects.toThrow('The certificate does not hold');
    }
  });

  test.each([
    [
      'the amount of a record that could not be used',
      `update results set source = replace(source, '"9.00"', '"9000.00"') where execution_id = $1 and outcome = 'invalid'`,
      /^source EUR invalid: the certificate says 2 records, 1700 minor units of EUR, the results hold 2 records, 900800 minor units of EUR$/m,
    ],
    [
      'its currency',
      `update results set target = replace(target, '"JPY"', '"EUR"') where execution_id = $1 and outcome = 'invalid'`,
      /^target JPY invalid: the certificate says 2 records, 211 minor units of JPY, the results hold nothing$/m,
    ],
    [
      'the pass of a line of the report',
      `update result_sums set pass = 'by hand' where execution_id = $1 and pass is not null`,
      /^source EUR matched in the pass "by reference": the report says nothing, the results hold 2 records, [0-9]+ minor units of EUR$/m,
    ],
    [
      'the pass of a result',
      `update results set pass = null where execution_id = $1 and outcome = 'mismatched'`,
      /^source EUR mismatched in no pass: the report says nothing, the results hold 1 records, 100 minor units of EUR$/m,
    ],
    [
      'a count of the summary',
      `update executions set summary = jsonb_set(summary, '{matched}', '7') where id = $1`,
      /^matched: the summary says 7, there are 2 results$/m,
    ],
  ])('names what was changed: %s', async (_, change, named) => {
    const id = await withAll();
    expect((await executions.database.query(change, [id])).rowCount).toBeGreaterThan(0);
    await expect(verify(id)).rejects.toThrow(named);
  });

  test('tells of a difference once, and not of each pass besides', async () => {
    const id = await withAll();
    await executions.database.query(
      `update results set source = replace(source, '"-10.00"', '"-11.00"') where execution_id = $1 and outcome = 'matched'`,
      [id],
    );
    await expect(verify(id)).rejects.toThrow(/^The certificate does not hold\.\nsource EUR matched: .*$/);
  });

  test('is asked wrongly of what does not exist', async () => {
    await expect(verify('exe_01jqv8m0c4e7r9t2w5y8a1b3d6')).rejects.toMatchObject({ name: 'UsageError' });
  });
});
