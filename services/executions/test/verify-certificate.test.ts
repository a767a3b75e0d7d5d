import type { Options } from '@settler/chassis/operation';
import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyCertificate } from '../src/infrastructure/postgres/verify-certificate.ts';
import { type Executions, euro, startExecutions } from './running-service.ts';

let executions: Executions;
let postgres: Postgres<ChassisTables>;
beforeAll(async () => {
  executions = await startExecutions();
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
    [euro('s1', '-10.00'), euro('s2', '5.5'), euro('s2', '5.5'), euro('s3', '1200', { currency: 'JPY' }), euro('s4', '1.00')],
    [euro('t1', '-10.01'), euro('t7', '70.00'), euro('t8', '0.99'), euro('t4', '9.00')],
  );
  return id as string;
};

describe('verifying a certificate', () => {
  test('says that it holds where every stored row says the same', async () => {
    expect(await verify(await withAll())).toMatch(/^The certificate holds: [0-9]+ lines/);
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

  test('is asked wrongly of what does not exist', async () => {
    await expect(verify('exe_01jqv8m0c4e7r9t2w5y8a1b3d6')).rejects.toMatchObject({ name: 'UsageError' });
  });
});
