import { connect, type NatsConnection } from '@nats-io/transport-node';
import { runRequestExample, runRequestType } from '@settler/contracts/internal/run-request';
import { runRequestSubject } from '@settler/contracts/subjects';
import { startService, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executions, euro, organizationId, startExecutions } from './running-service.ts';

const jobOf = (letter: string) => `job_01jqv8m0c4e7r9t2w5y8a1b3${letter}6`;
const [plain, busy, paused, fileless, killed, late] = ['d', 'e', 'f', 'g', 'h', 'j'].map(jobOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const side = (id: string) => ({ adapter: 'records', config: { records: [euro(id, '1.00', { reference: '1' })] } });
const first = runRequestExample.dueAt;
const second = '2026-04-02T04:00:00.000Z';

describe('runs that schedules ask for', () => {
  let executions: Executions;
  let broker: NatsConnection;
  let said = 0;

  /** As jobs says it, each time as a message of its own. */
  const ask = (jobId: string, dueAt = first) => {
    said += 1;
    const envelope = {
      specversion: '1.0',
      id: `evt_01jqv8m0c4e7r9t2w5y8a1b${String(said).padStart(3, '0')}`,
      source: '/settler/jobs',
      type: runRequestType,
      subject: jobId,
      time: dueAt,
      datacontenttype: 'application/json',
      organizationid: organizationId,
      aggregateversion: 1,
      data: { jobId, dueAt },
    };
    broker.publish(runRequestSubject, JSON.stringify(envelope));
  };
  const settled = (jobId: string, count: number) =>
    waitFor(
      async () => {
        const { rows } = await executions.database.query(
          `select state from run_requests where job_id = $1 and state <> 'waiting' order by due_at`,
          [jobId],
        );
        return rows.length === count ? rows.map(({ state }) => state) : undefined;
      },
      { timeoutMs: 30_000, what: `${count} requests of ${jobId}` },
    );
  const runsOf = async (jobId: string) => (await executions.must(200, executions.api.get(`/v1/executions?jobId=${jobId}`))).data;
  const skipsOf = async (jobId: string) =>
    (await executions.messages('audit.recorded')).filter(
      ({ action, resource }) => action === 'job.schedule_skipped' && resource.id === jobId,
    );
  const over = (jobId: string, count = 1) =>
    waitFor(
      async () => {
        const runs = await runsOf(jobId);
        return runs.length === count && runs.every(({ status }: { status: string }) => ['completed', 'failed'].includes(status))
          ? runs
          : undefined;
      },
      { timeoutMs: 30_000, what: `${count} ended runs of ${jobId}` },
    );

  beforeAll(async () => {
    executions = await startExecutions(undefined, (jobId) => ({
      source:
        jobId === fileless
          ? { adapter: 'csv', config: { fileId: 'fil_01jqv8m0c4e7r9t2w5y8a1b3d6', fields: { amount: 'A', currency: 'C' } } }
          : side('s1'),
      target: side('t1'),
      status: jobId === paused ? 'paused' : 'active',
    }));
    const url = new URL(executions.island.brokerUrl('jobs'));
    broker = await connect({ servers: url.host, user: url.username, pass: url.password });
  });
  afterAll(async () => {
    await broker.close();
    await executions.stop();
  });

  test('a request that is said three times is one run, with the inputs of the job itself', async () => {
    for (const _ of [1, 2, 3]) ask(plain);
    const [run] = await over(plain);
    expect(run).toMatchObject({ status: 'completed', jobVersion: 1 });
    expect(run.note).toContain(first);
    await waitFor(async () => (await executions.database.query('select * from inbox')).rowCount === said, {
      timeoutMs: 10_000,
      what: 'the inbox',
    });
    expect(await runsOf(plain)).toHaveLength(1);
    ask(plain, second);
    expect(await over(plain, 2)).toHaveLength(2);
  });

  test('while the job is queued or running, a due time is skipped and said', async () => {
    await executions.database.query(
      `insert into executions (id, organization_id, job_id, job_version, definition, dry_run, is_serial, file_ids, status, progress, created_by_type, created_by_id, not_before)
       select 'exe_01jqv8m0c4e7r9t2w5y8a1b3d9', organization_id, $1, 1, definition, false, false, '{}', 'queued', progress, 'user', 'u', now() + interval '1 hour'
         from executions where job_id = $2 limit 1`,
      [busy, plain],
    );
    ask(busy);
    expect(await settled(busy, 1)).toEqual(['skipped']);
    expect(await skipsOf(busy)).toMatchObject([{ actor: { type: 'system' }, after: { dueAt: first, reason: 'still_running' } }]);
    expect(await runsOf(busy)).toHaveLength(1);
  });

  test('a job that was paused since is not run', async () => {
    ask(paused);
    expect(await settled(paused, 1)).toEqual(['skipped']);
    expect(await skipsOf(paused)).toMatchObject([{ after: { reason: 'paused' } }]);
  });

  test('a file that is gone is a failed run, where people look for it', async () => {
    ask(fileless);
    expect(await over(fileless)).toMatchObject([{ status: 'failed', error: { code: 'no_such_file' } }]);
  });

  test('of several that waited for this service, the newest runs', async () => {
    await executions.database.query(`insert into run_requests (job_id, organization_id, due_at) values ($1, $2, $3), ($1, $2, $4)`, [
      late,
      organizationId,
      first,
      second,
    ]);
    expect(await settled(late, 2)).toEqual(['skipped', 'queued']);
    expect(await skipsOf(late)).toMatchObject([{ after: { dueAt: first, reason: 'superseded' } }]);
  });

  test('killed before the commit, another takes the request, and it is one run', async () => {
    await executions.service.stop();
    const doomed = await startService('executions', { ...executions.environment, SETTLER_FAULT: 'executions.request.settled' });
    ask(killed);
    await doomed.exited;
    const service = await startService('executions', executions.environment);
    expect(await settled(killed, 1)).toEqual(['queued']);
    const { rows } = await executions.database.query('select 1 from executions where job_id = $1', [killed]);
    expect(rows).toHaveLength(1);
    await service.stop();
  });
});
