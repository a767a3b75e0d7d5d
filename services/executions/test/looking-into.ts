/** What a run has stored, and what it left open, as tests compare it. */
import type { Postgres } from '@settler/chassis/postgres';
import type { ChassisTables } from '@settler/chassis/tables';
import { expect } from 'vitest';
import { verifyCertificate } from '../src/infrastructure/postgres/reports/verify-certificate.ts';
import { type Executions, euro, type Fields } from './running-service.ts';

export interface Result {
  readonly id: string;
  readonly outcome: string;
  readonly source: readonly Fields[];
  readonly target: readonly Fields[];
  readonly exceptionId: string | null;
  readonly manual: { readonly matchId: string } | null;
}

export const manualReview = {
  conflictResolution: 'manual-review',
  minMargin: 0.1,
  passes: [
    {
      name: 'by reference',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' }, verify: true },
      ],
    },
  ],
};

/** An order that two payments may be for, a pair that differs, and one of each side that is alone. */
export const unclear = {
  source: [euro('s1', '10.00'), euro('s2', '20.00'), euro('s3', '30.00', { reference: 'alone' })],
  target: [
    euro('t1', '10.00'),
    euro('u1', '10.00', { reference: '1' }),
    euro('t2', '25.00'),
    euro('t9', '29.00', { reference: 'other', date: '2026-04-03' }),
  ],
};

/** Of a service that is there once the tests begin. */
export const resultsIn = (executions: () => Executions) => {
  const resultsOf = async (id: string): Promise<Result[]> =>
    (await executions().must(200, executions().api.get(`/v1/executions/${id}/results?limit=200`))).data;
  const outcomesOf = async (id: string) =>
    (await resultsOf(id))
      .map(({ outcome, source, target }) =>
        [outcome, ...[...source, ...target].map((record) => record['id'] ?? record['reference'])].join(' '),
      )
      .sort();
  return { resultsOf, outcomesOf };
};

/** Of a service and a database that are there once the tests begin. */
export const lookingInto = (executions: () => Executions, postgres: () => Postgres<ChassisTables>) => {
  const exceptionsOf = async (jobId: string) =>
    (await executions().exceptionsOf(jobId))
      .map(({ status, resolution, records }: { status: string; resolution: string | null; records: Fields[] }) =>
        [status, resolution, ...records.map(({ id }) => id)].join(' '),
      )
      .sort();
  const holds = async (executionId: string) => {
    const said: string[] = [];
    await verifyCertificate.run({ postgres: postgres(), print: (line) => void said.push(line), encryptionKeys: () => [] }, { executionId });
    expect(said.join()).toMatch(/^The certificate holds/);
    const { certificate, summary, matchRate } = await executions().must(200, executions().api.get(`/v1/executions/${executionId}/report`));
    expect(certificate.holds).toBe(true);
    return { summary, matchRate };
  };
  const stored = async (executionId: string) => {
    const { rows } = await executions().database.query(
      'select to_jsonb(r) as row from results r where execution_id = $1 order by position, id',
      [executionId],
    );
    const { rows: records } = await executions().database.query(
      `select side, currency, outcome, pass, sum(count)::int as count, sum(amount_minor)::text as amount from (
         select side, currency, outcome, pass, count, amount_minor from result_sums where execution_id = $1
         union all select side, currency, from_outcome, from_pass, -count, -count * amount_minor from result_renamings where execution_id = $1
         union all select side, currency, to_outcome, to_pass, count, count * amount_minor from result_renamings where execution_id = $1) as told
        group by 1, 2, 3, 4 having sum(count) <> 0 order by 1, 2, 3, 4`,
      [executionId],
    );
    return { results: rows.map(({ row }) => row), records };
  };
  const itemsOf = async (jobId: string) => {
    const { rows } = await executions().database.query(
      `select record ->> 'id' as id, retired_at is not null as retired from open_items where job_id = $1 order by 1`,
      [jobId],
    );
    return rows.map(({ id, retired }) => (retired ? `${id} retired` : id));
  };

  return { ...resultsIn(executions), exceptionsOf, holds, stored, itemsOf };
};
