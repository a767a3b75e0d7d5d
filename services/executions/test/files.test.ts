import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders, ordersInCsv, payments, runsOfOrders } from './orders-in-csv.ts';
import { type Executions, shareExecutions } from './running-service.ts';

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions(undefined, () => ordersInCsv);
});
afterAll(() => executions.stop());
const { upload, start } = runsOfOrders(() => executions);

test('are read, listed and deleted, and the same upload again under one key is one file', async () => {
  const headers = { 'content-type': 'text/csv', 'idempotency-key': 'upload-1' };
  const first = await executions.api.post('/v1/files?name=a.csv', undefined, { raw: orders, headers });
  const again = await executions.api.post('/v1/files?name=a.csv', undefined, { raw: orders, headers });
  expect(again.body).toEqual(first.body);
  expect(again.headers.get('idempotent-replayed')).toBe('true');
  expect((await executions.api.post('/v1/files?name=a.csv', undefined, { raw: `${orders}x`, headers })).body.code).toBe(
    'idempotency_key_reused',
  );
  expect(first.body).toMatchObject({
    name: 'a.csv',
    size: orders.length,
    contentType: 'text/csv',
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect((await executions.api.get(`/v1/files/${first.body.id}`)).body).toEqual(first.body);
  expect((await executions.api.delete(`/v1/files/${first.body.id}`)).status).toBe(204);
  expect((await executions.api.get(`/v1/files/${first.body.id}`)).status).toBe(404);
});

test('a run says which files it has read, also once they are deleted', async () => {
  const fileId = await upload(`${orders}\no6,6.00,EUR,2026-04-02,R6`);
  const { sha256 } = (await executions.api.get(`/v1/files/${fileId}`)).body;
  const { body } = await start({ source: { fileId }, target: { records: payments }, dryRun: true });
  const inputs = { source: { fileId, sha256 }, target: null };
  expect(body.inputs).toEqual(inputs);
  await executions.over(body.id);
  expect((await executions.api.delete(`/v1/files/${fileId}`)).status).toBe(204);
  expect((await executions.api.get(`/v1/executions/${body.id}`)).body.inputs).toEqual(inputs);
  const { rows } = await executions.database.query(
    `select body::jsonb #> '{data,after,inputs}' as inputs from (select body from outbox union all select body from outbox_sent) as told
      where body::jsonb #>> '{data,action}' = 'execution.queued' and body::jsonb #>> '{data,resource,id}' = $1`,
    [body.id],
  );
  expect(rows).toEqual([{ inputs }]);
});

test('a page ends where the next one begins, however many files came in one moment', async () => {
  const { island, api } = executions;
  const principal = { audience: 'executions' as const, organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d9', scopes: ['*'] };
  const own = api.as({ token: () => island.principalToken(principal) });
  await Promise.all(Array.from({ length: 60 }, (_, index) => own.post(`/v1/files?name=${index}`, undefined, { raw: 'x' })));
  const names = new Set<string>();
  for (let cursor = ''; ; ) {
    const { body } = await own.get(`/v1/files?limit=1${cursor}`);
    names.add(body.data[0].name);
    if (body.nextCursor === null) break;
    cursor = `&cursor=${body.nextCursor}`;
  }
  expect(names.size).toBe(60);
});
