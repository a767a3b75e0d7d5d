import type { Postgres } from '@settler/chassis/postgres';
import { waitFor } from '@settler/harness';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { copiedBytes } from '../src/infrastructure/postgres/copied-bytes.ts';
import type { Database } from '../src/infrastructure/postgres/tables.ts';
import { type Executions, shareExecutions } from './running-service.ts';

describe('bytes that are copied', () => {
  let executions: Executions;
  let postgres: Postgres<Database>;
  beforeAll(async () => {
    executions = await shareExecutions();
    postgres = executions.openPostgres() as unknown as Postgres<Database>;
  });
  afterAll(async () => {
    await postgres.close();
    await executions.stop();
  });

  const copied = (query: string) => copiedBytes(postgres.systemPool, () => query);

  test('are what they are in the database, of any size', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(1, 3, 50_000), async (bytes, times) => {
        const wanted = Buffer.concat(Array.from({ length: times }, () => bytes));
        const hex = Buffer.from(bytes).toString('hex');
        const found = await copied(`select decode(repeat('${hex}', ${times}), 'hex')`);
        expect(found?.equals(wanted)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('are none where nothing is found', async () => {
    expect(await copied(`select ''::bytea where false`)).toBeUndefined();
    expect(await copied(`select ''::bytea`)).toHaveLength(0);
  });

  test('have their texts made into literals', async () => {
    const text = `it's \\ a "text"; --`;
    const found = await copiedBytes(postgres.systemPool, (literal) => `select convert_to(${literal(text)}, 'UTF8')`);
    expect(found?.toString()).toBe(text);
  });

  test('fail with their connection or their query, after which others are copied', async () => {
    const asleep = copied('select (pg_sleep(60)::text)::bytea').catch((error: unknown) => error);
    const asking = `select pid from pg_stat_activity where state = 'active' and query like 'copy (select (pg_sleep%'`;
    await waitFor(async () => (await executions.database.query(asking)).rowCount === 1, { timeoutMs: 10_000, what: 'who is asleep' });
    await executions.database.query(`select pg_terminate_backend(pid) from (${asking}) as a`);
    expect(await asleep).toBeInstanceOf(Error);
    await expect(copied('select 1 / 0')).rejects.toThrow('division by zero');
    expect(await copied(`select 'still here'::bytea`)).toEqual(Buffer.from('still here'));
  });
});
