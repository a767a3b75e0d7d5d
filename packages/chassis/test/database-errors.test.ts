import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { toRefusal } from '../src/problem.ts';
import { databaseForTests } from './island-parts.ts';

const organizationId = 'org_01jd0000000000000000000000';

describe('what the database says while a request is served', () => {
  const server = databaseForTests();
  const answerTo = async (statement: string) => {
    const failing = server.postgres.organization(organizationId, async (trx) => {
      await sql.raw(statement).execute(trx);
    });
    const { code, details } = toRefusal(await failing.catch((error: unknown) => error));
    return [code, details.retryAfterSeconds];
  };
  const raised = (state: string) => answerTo(`do $$ begin raise sqlstate '${state}'; end $$`);

  test('is a reason to repeat the request where that may go through', async () => {
    // A deadlock, a serialization that failed, a lock that was not given in time.
    for (const state of ['40P01', '40001', '55P03']) expect(await raised(state)).toEqual(['upstream_unavailable', 1]);
    const slow = "select set_config('statement_timeout', '50', true); select pg_sleep(60)";
    expect(await answerTo(slow)).toEqual(['upstream_unavailable', 10]);
    expect(await answerTo('select pg_terminate_backend(pg_backend_pid())')).toEqual(['upstream_unavailable', 2]);
  });

  test('is a fault of ours where it would be the same again', async () => {
    for (const state of ['22012', '23505', '23514', '42501', '42703']) expect(await raised(state)).toEqual(['internal', undefined]);
  });
});
