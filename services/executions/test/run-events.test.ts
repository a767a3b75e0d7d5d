import { afterAll, beforeAll, expect, test } from 'vitest';
import { orders, ordersInCsv, ordersJobId, payments, runsOfOrders } from './orders-in-csv.ts';
import { type Executions, type Fields, shareExecutions } from './running-service.ts';

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions(undefined, () => ordersInCsv);
});
afterAll(() => executions.stop());
const { upload, start, runOnce } = runsOfOrders(() => executions);

const eventsOf = (id: string, { headers, ...more }: Omit<RequestInit, 'headers'> & { readonly headers?: Fields } = {}) => {
  const { url, token } = executions.address();
  return fetch(`${url}/v1/executions/${id}/events`, { ...more, headers: { ...headers, authorization: `Bearer ${token}` } });
};

test('server-sent events tell the end even to one who comes late, and resume where they were', async () => {
  const execution = await runOnce();
  const late = await eventsOf(execution.id);
  expect(late.headers.get('content-type')).toBe('text/event-stream');
  const text = await late.text();
  expect(text).toMatch(/^id: \d+\nevent: completed\ndata: \{.*"status":"completed"/);
  const behind = async (id: string) => (await eventsOf(execution.id, { headers: { 'last-event-id': id } })).text();
  const last = /^id: (\d+)/.exec(text)?.[1] ?? '';
  expect(await behind(last)).toBe('');
  for (const never of [`${last}0`, '9007199254740993', '-1', 'x']) expect(await behind(never)).toBe(text);
});

test('whoever asks for the head of a stream of events has it while the run goes on', async () => {
  // No run of the job comes to its end as long as this is held.
  await executions.database.query('begin');
  await executions.database.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`open items of ${ordersJobId}`]);
  try {
    const answer = await start({ source: { fileId: await upload(orders) }, target: { records: payments } });
    expect(answer.status).toBe(202);
    const head = await eventsOf(answer.body.id, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    expect((await executions.api.get(`/v1/executions/${answer.body.id}`)).body.completedAt).toBeNull();
    await executions.database.query('commit');
    await executions.over(answer.body.id);
  } finally {
    await executions.database.query('rollback');
  }
});
