/** What nobody should send, and somebody will: a problem that says where and why, an outcome of its own record, or a run that ends at once. */
import { readFileSync } from 'node:fs';
import { type System, sharedSystem, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createParty, job, must, type Party, payments } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

let system: System;
let receiver: Receiver;
let party: Party;

beforeAll(async () => {
  [{ system }, receiver] = await Promise.all([sharedSystem(), startReceiver()]);
  party = await createParty(system.url, 'hostile', receiver.url);
});
afterAll(() => receiver.close());

const record = (more: object) => ({ id: 'p1', amount: '10.00', currency: 'EUR', reference: 'R1', ...more });
const withRecords = (...records: unknown[]) => ({ ...job, target: { adapter: 'records', config: { records } } });
const rules = (match: unknown, more = {}) => ({ ...job, rules: { matching: [match], ...more } });

describe('a job', () => {
  test.each([
    ['an amount beyond all numbers', withRecords(record({ amount: '1e400' })), 'target.config.records[0].amount'],
    ['an amount that is none', withRecords(record({ amount: 'NaN' })), 'target.config.records[0].amount'],
    ['an amount as a number', withRecords(record({ amount: 10.1 })), 'target.config.records[0].amount'],
    ['a day that does not exist', withRecords(record({ date: '2026-02-30' })), 'target.config.records[0].date'],
    ['a currency that is none', withRecords(record({ currency: 'euros' })), 'target.config.records[0].currency'],
    [
      'a tolerance below nothing',
      rules({ field: 'amount', type: 'amount', tolerance: { absolute: '-1' } }),
      'rules.matching[0].tolerance.absolute',
    ],
    ['a window of a million days', rules({ field: 'date', type: 'date', within: { after: 1_000_000 } }), 'rules.matching[0].within.after'],
    ['a pattern that would never end', rules({ field: 'reference', type: 'regex', pattern: '(a+)+(?=b)' }), 'rules.matching[0].pattern'],
    [
      'a pattern that only another engine knows',
      rules({ field: 'reference', type: 'regex', pattern: '([^])' }),
      'rules.matching[0].pattern',
    ],
    [
      'a pattern that would become a million states',
      rules({ field: 'reference', type: 'regex', pattern: '((a{1,1000}){1,1000})' }),
      'rules.matching[0].pattern',
    ],
    ['a pattern that captures nothing', rules({ field: 'reference', type: 'regex', pattern: 'RE-[0-9]+' }), 'rules.matching[0].pattern'],
    ['half a surrogate pair in a rule', rules({ field: '\ud800', type: 'exact' }), 'rules.matching[0].field'],
    ['a name without a character', { ...job, name: '' }, 'name'],
    ['a name that goes on and on', { ...job, name: 'x'.repeat(100_000) }, 'name'],
    ['a name with what no database stores', { ...job, name: 'a\u0000b' }, 'name'],
  ])('with %s is refused at its place', async (_what, body, path) => {
    const answer = await party.key.post('/v1/jobs', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    expect(answer.body.errors.map((error: { path: string }) => error.path)).toContain(path);
  });

  test.each([
    ['lone surrogates', { ...job, name: 'a\ud800b' }],
    ['NUL deep inside', { ...job, source: { adapter: 'csv', config: { ...job.source.config, content: 'Id\n\u0000' } } }],
    ['NUL in a record', withRecords(record({ note: 'a\u0000b' }))],
    ['texts from every script', { ...job, name: '注文と支払い · заказы · أوامر · 🧾' }],
  ])('with %s is taken or refused, and never breaks anything', async (_what, body) => {
    const answer = await party.key.post('/v1/jobs', body);
    expect([201, 400], JSON.stringify(answer.body)).toContain(answer.status);
    if (answer.status === 201) expect((await party.key.get(`/v1/jobs/${answer.body.id}`)).status).toBe(200);
  });
});

test.each([
  ['/v1/jobs/%00', 404],
  ['/v1/jobs/%ff%fe', 400],
  ['/v1/jobs/..%2f..%2finternal%2fjobs', 404],
  ['/v1/executions?jobId=%00', 400],
  ['/v1/executions?since=yesterday', 400],
  ['/v1/executions?since=99999-01-01T00:00:00.000Z', 400],
  ['/v1/exceptions?minAmount=1e400', 400],
  ['/v1/exceptions?status=open&status=open', 400],
  ['/v1/jobs?q=%25%27%3B--', 200],
  ['/v1/jobs?q=%00', 400],
  ['/v1/jobs?tag=a%00b', 400],
  ['/v1/audit-events?since=0000-01-01T00:00:00Z', 400],
  ['/internal/revocations?after=0', 404],
  ['/metrics', 404],
] as const)('%s answers %i', async (path, status) => {
  const answer = await party.key.get(path);
  expect(answer.status, JSON.stringify(answer.body)).toBe(status);
});

const runWith = async (source: { readonly bytes: string | Uint8Array | ReadableStream; readonly name?: string }, config: object = {}) => {
  const upload = await party.key.post(`/v1/files?name=${source.name ?? 'bad.csv'}`, undefined, {
    raw: source.bytes as string,
    headers: { 'content-type': 'text/csv' },
    timeoutMs: 60_000,
  });
  const { id: jobId } = await must(
    201,
    party.key.post('/v1/jobs', { ...job, source: { adapter: 'csv', config: { ...job.source.config, ...config } } }),
  );
  const started = await must(
    202,
    party.key.post(`/v1/jobs/${jobId}/executions`, { source: { fileId: upload.body.id }, target: { records: payments } }),
  );
  return waitFor(
    async () => {
      const { body } = await party.key.get(`/v1/executions/${started.id}`);
      return ['completed', 'failed'].includes(body.status) && body;
    },
    { what: 'the end of the run', timeoutMs: 60_000 },
  );
};

describe('a file', () => {
  test.each([
    ['binary junk', { bytes: new Uint8Array(4_096).map((_, index) => (index * 7_919) % 256) }, 'binary_content'],
    ['nothing', { bytes: ' ' }, 'no_such_column'],
    ['a quote without an end', { bytes: 'Id,Amount,Currency,Reference\no1,"10.00,EUR,R1\n' }, 'unterminated_quote'],
    ['other columns', { bytes: 'A,B\n1,2\n' }, 'no_such_column'],
  ] as const)('of %s ends the run at once, with code and side', async (_what, source, code) => {
    const execution = await runWith(source);
    expect(execution).toMatchObject({ status: 'failed', attempt: 1, error: { code, side: 'source' } });
    expect(execution.error.message.length).toBeGreaterThan(20);
  });

  test('of one line of 200 MB ends the run at once and holds no memory', async () => {
    const pid = system.services.executions.pid;
    const memoryKb = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
    const before = memoryKb();
    let most = 0;
    const piece = new Uint8Array(1_048_576).fill(120);
    let pieces = 0;
    const bytes = new ReadableStream({
      pull: (controller) => {
        if (pieces === 0) controller.enqueue(new TextEncoder().encode('Id,Amount,Currency,Reference\no1,10.00,EUR,'));
        controller.enqueue(piece);
        pieces += 1;
        most = Math.max(most, memoryKb());
        if (pieces === 200) controller.close();
      },
    });
    const execution = await runWith({ bytes });
    most = Math.max(most, memoryKb());
    expect(execution).toMatchObject({ status: 'failed', error: { code: 'line_too_long', line: 2, side: 'source' } });
    expect(most - before).toBeLessThan(150_000);
  }, 120_000);

  test('with bad records is a run whose bad records are outcomes with line and reason', async () => {
    const rows = [
      'Id,Amount,Currency,Reference',
      'o1,1e400,EUR,R1',
      'o2,"1.234,56",EUR,R2',
      'o3,NaN,EUR,R3',
      'o4,,EUR,R4',
      ',5.00,EUR,R5',
      'o6,5.001,EUR,R6',
      'o7,5.00,XX,R7',
      'o8,99999999999999999999,EUR,R8',
      'o9,9.00,EUR,R9',
    ];
    const execution = await runWith({ bytes: rows.join('\n') });
    expect(execution).toMatchObject({ status: 'completed', summary: { invalid: 8, matched: 1 } });
    const { data } = (await party.key.get(`/v1/executions/${execution.id}/results?outcome=invalid`)).body;
    expect(data.map(({ line }: { line: number }) => line).sort()).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { reason } of data) expect(reason.length).toBeGreaterThan(8);
    expect((await party.key.get(`/v1/executions/${execution.id}/report`)).body.certificate.holds).toBe(true);
  });
});
