/** Orders in a CSV file against payments in the request, with one of each outcome; and a service that runs them. */
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import { expect } from 'vitest';
import type { Executions, Fields } from './running-service.ts';

const fields = { id: 'Id', amount: 'Amount', currency: 'Currency', date: 'Date', reference: 'Reference' };
export const ordersInCsv = { source: { adapter: 'csv', config: { fields } } } satisfies Partial<JobDefinition>;

const fieldsWithoutIds = { reference: 'reference', amount: 'amount', currency: 'currency' };
const withoutIds = { adapter: 'csv' as const, config: { fields: fieldsWithoutIds } };
/** Of both sides, in `reference`, `amount` and `currency` alone. */
export const csvWithoutIds = { source: withoutIds, target: withoutIds } satisfies Partial<JobDefinition>;

export const csv = (rows: readonly string[]) => ['Id,Amount,Currency,Date,Reference', ...rows].join('\n');
export const orders = csv([
  'o1,10.00,EUR,2026-04-01,R1',
  'o2,20.00,EUR,2026-04-01,R2',
  'o3,30.00,USD,2026-04-02,R3',
  'o4,abc,EUR,2026-04-02,R4',
  'o5,50.00,EUR,2026-04-02,R5',
]);

export const payment = (id: string, amount: string, currency: string, reference: string) => ({
  id,
  amount,
  currency,
  date: '2026-04-02',
  reference,
});
export const payments = [
  payment('p1', '10.00', 'EUR', 'R1'),
  payment('p2', '21.00', 'EUR', 'R2'),
  payment('p3', '30.00', 'USD', 'R3'),
  payment('p9', '9.00', 'EUR', 'R9'),
];

export const ordersJobId = 'job_01jqv8m0c4e7r9t2w5y8a5csv1';

/** Of a service that is there once the tests begin. */
export const runsOfOrders = (executions: () => Executions) => {
  const upload = async (content: string | Uint8Array, name = 'orders.csv'): Promise<string> => {
    const sent = { raw: content as string, headers: { 'content-type': 'text/csv' } };
    return (await executions().must(201, executions().api.post(`/v1/files?name=${name}`, undefined, sent))).id;
  };
  const start = (body: Fields) => executions().api.post(`/v1/jobs/${ordersJobId}/executions`, body);
  const runOnce = async (text: string | Uint8Array = orders, records: readonly unknown[] = payments, more: Fields = {}) => {
    const answer = await start({ source: { fileId: await upload(text) }, target: { records }, ...more });
    expect(answer.status).toBe(202);
    return executions().over(answer.body.id);
  };
  return { upload, start, runOnce };
};
