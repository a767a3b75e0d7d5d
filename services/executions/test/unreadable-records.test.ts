import { afterAll, beforeAll, expect, test } from 'vitest';
import { csv, ordersInCsv, ordersJobId, payments, runsOfOrders } from './orders-in-csv.ts';
import { type Executions, shareExecutions } from './running-service.ts';

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions(undefined, () => ordersInCsv);
});
afterAll(() => executions.stop());
const { upload, start, runOnce } = runsOfOrders(() => executions);

test('what cannot be read is the same on another line, where it says who it is', async () => {
  const row = 'u1,abc,EUR,2026-04-02,U1';
  const told = async () => (await executions.api.get(`/v1/exceptions?jobId=${ordersJobId}&category=invalid_record&q=u1`)).body.data;
  await runOnce(csv([row]), []);
  const [{ id }] = await told();
  expect((await executions.api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'written_off' })).status).toBe(200);
  const paid = { id: 'pu0', amount: '1.00', currency: 'EUR', reference: 'U0' };
  const again = await runOnce(csv(['u0,1.00,EUR,2026-04-02,U0', row]), [paid]);
  expect(await told()).toMatchObject([{ id, status: 'resolved' }]);
  const { data } = (await executions.api.get(`/v1/executions/${again.id}/results?outcome=invalid`)).body;
  expect(data).toMatchObject([{ line: 3, exceptionId: id }]);
});

test.each([
  ['without a currency', 'n1,5.00,,2026-04-02,N1', 'n1,5000.00,,2026-04-02,N1'],
  ['of a currency that is none', 'n2,5.00,XYZ,2026-04-02,N2', 'n2,5000.00,XYZ,2026-04-02,N2'],
  ['of too few cells', 'n3,5.00,EUR', 'n4,5000.00,EUR'],
])('who writes off a row %s has not written off another with a larger amount', async (_what, small, large) => {
  const invalid = async (row: string) => {
    const run = await runOnce(csv([row]), []);
    return (await executions.api.get(`/v1/executions/${run.id}/results?outcome=invalid`)).body.data[0];
  };
  const { exceptionId } = await invalid(small);
  expect((await executions.api.post(`/v1/exceptions/${exceptionId}/resolve`, { resolution: 'written_off' })).status).toBe(200);
  expect((await invalid(small)).exceptionId).toBe(exceptionId);
  const other = await invalid(large);
  expect(JSON.stringify([other.source, other.reason])).toContain('5000.00');
  expect((await executions.api.get(`/v1/exceptions/${other.exceptionId}`)).body).toMatchObject({ status: 'open' });
});

test.each([
  ['a column that is not there', 'Id,Total\n1,2', 'no_such_column'],
  ['binary junk', Buffer.from([0, 1, 2, 255, 254, 0, 0, 7]), 'binary_content'],
  ['an empty file', '', 'empty_file'],
])('%s ends the run at once with code and side', async (_what, content, code) => {
  const answer = await start({ source: { fileId: await upload(content) }, target: { records: payments } });
  const execution = await executions.over(answer.body.id);
  expect(execution).toMatchObject({
    status: 'failed',
    attempt: 1,
    error: { code, side: 'source', message: expect.stringMatching(/^source/) },
  });
  for (const part of ['results', 'fees', 'export']) {
    const { body } = await executions.api.get(`/v1/executions/${execution.id}/${part}`);
    const detail = 'This execution is failed: only one that is completed has results.';
    expect(body, part).toMatchObject({ status: 409, code: 'conflict', detail });
  }
  const report = (await executions.api.get(`/v1/executions/${execution.id}/report`)).body;
  expect(report).toMatchObject({ status: 'failed', outcomes: [], certificate: { holds: false, lines: [] } });
});
