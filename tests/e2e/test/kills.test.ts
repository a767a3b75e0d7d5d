/**
 * Every service of the main path is killed where it hurts most: with its work done and not yet committed, committed and not yet
 * acknowledged, published and not yet recorded, in the middle of a COPY. Each is started again and killed at its next point; afterwards
 * nothing is lost and nothing has happened twice.
 */
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { consumers } from '@settler/contracts/streams';
import {
  createIsland,
  type Island,
  type StartedService,
  type System,
  type SystemOverrides,
  startService,
  startSystem,
  waitFor,
} from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { createParty, must, type Party, payments } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

let island: Island;
let databases: Databases;
let system: System;
let receiver: Receiver;
/** Of the endpoint that every party has. */
let bystander: Receiver;
let party: Party;
const running = new Map<StatefulService, StartedService>();
/** A sixth of what they are elsewhere, and more than a busy machine may be still for: each death waits for one to be over. */
const leases: SystemOverrides = { executions: { LEASE_MS: '5000', LEASE_RENEW_MS: '1000', SWEEP_MS: '1000' } };
const environmentOf = (service: StatefulService, settings: Record<string, string>) =>
  island.environmentFor(service, { ...leases[service], ...settings });

beforeAll(async () => {
  // A sixth of what it is elsewhere, or most of this would be waiting.
  island = await createIsland({ ackWaitMs: 5_000 });
  [system, receiver, bystander] = await Promise.all([startSystem(island, leases), startReceiver(), startReceiver()]);
  databases = await openDatabases(island);
  party = await createParty(system.url, 'killed', bystander.url);
  // It takes nothing, and what would be tried again would be met in place of the run.
  await must(200, party.key.patch(`/v1/webhooks/${party.webhookId}`, { status: 'paused' }));
  const { id, secret } = await must(201, party.key.post('/v1/webhooks', { url: receiver.url, events: ['*'] }));
  expect(id).toBeTypeOf('string');
  receiver.trust(secret);
});
afterAll(async () => {
  await Promise.all([receiver.close(), bystander.close(), databases.close()]);
  await island.dispose();
});

const restart = async (service: StatefulService, settings: Record<string, string> = {}): Promise<void> => {
  const before = running.get(service) ?? system.services[service];
  before.kill('SIGKILL');
  await before.exited;
  running.set(service, await startService(service, environmentOf(service, settings)));
};

/** Starts a service that will kill itself at the first point, then one that will at the next, and in the end one that lives. */
const doom = async (service: StatefulService, points: readonly string[]): Promise<{ readonly died: Promise<void> }> => {
  const [first = '', ...others] = points;
  await restart(service, { SETTLER_FAULT: first });
  const diesAt = async (point: string, [next, ...later]: readonly string[]): Promise<void> => {
    const { exited } = running.get(service) as StartedService;
    const { signal } = await within(exited, `the end of ${service} at ${point}`);
    expect(signal, `${service} at ${point}`).toBe('SIGKILL');
    const settings = next === undefined ? {} : { SETTLER_FAULT: next };
    const isDoomed = next !== undefined;
    running.set(service, await startService(service, environmentOf(service, settings), { isDoomed }));
    if (next !== undefined) await diesAt(next, later);
  };
  return { died: diesAt(first, others) };
};

const within = <Value>(promise: Promise<Value>, what: string): Promise<Value> => {
  const late = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new Error(`Waited in vain for ${what}.`)), 90_000).unref();
  });
  return Promise.race([promise, late]);
};

/** Everything that a run leaves behind in four databases and outside of them. */
const requireOneOfEverything = async (executionId: string): Promise<void> => {
  const place = `/v1/executions/${executionId}`;
  await waitFor(async () => (await party.key.get(place)).body.status === 'completed', { what: 'the run to end', timeoutMs: 50_000 });
  // Each death before the end was an attempt, and none was in vain besides.
  expect((await party.key.get(place)).body.attempt).toBe(4);
  const results = (await party.key.get(`${place}/results`)).body.data;
  expect(
    results.map(({ outcome, exceptionId }: { outcome: string; exceptionId: string | null }) => [outcome, exceptionId !== null]),
  ).toEqual([
    ['missing_in_target', true],
    ['missing_in_source', true],
    ['matched', false],
  ]);
  expect(
    await databases.rows('executions', 'select sum(count)::int as records from result_sums where execution_id = $1', [executionId]),
  ).toEqual([{ records: 4 }]);
  expect((await party.key.get(`${place}/report`)).body.certificate.holds).toBe(true);

  await waitFor(async () => (await party.key.get(`/v1/jobs/${party.jobId}`)).body.lastExecution?.id === executionId, {
    what: 'the job to hear of its run',
    timeoutMs: 50_000,
  });
  const said = await waitFor(
    async () => {
      const entries = await databases.rows('identity', 'select action from audit_entries where resource_id = $1 order by action', [
        executionId,
      ]);
      return entries.length >= 2 && entries.map(({ action }) => action);
    },
    { what: 'the audit trail', timeoutMs: 50_000 },
  );
  expect(said).toEqual(['execution.completed', 'execution.queued']);
  expect((await party.key.get('/v1/audit-events/verify')).body.valid).toBe(true);

  const delivered = () => receiver.received.filter(({ data }) => data.executionId === executionId).map(({ type }) => type);
  await waitFor(() => delivered().length >= 3, { what: 'the webhooks', timeoutMs: 50_000 });
  expect(delivered().sort()).toEqual(['execution.completed', 'execution.queued', 'execution.started']);
  expect(receiver.refused).toEqual([]);

  // What each service says it has sent, each consumer has had once; and nothing was put aside.
  for (const service of statefulServices) {
    await waitFor(async () => (await databases.rows(service, 'select event_id from outbox')).length === 0, {
      what: `${service} to publish`,
      timeoutMs: 30_000,
    });
    for (const table of ['outbox_quarantine', 'dead_letters'])
      expect(await databases.rows(service, `select * from ${table}`), `${service} ${table}`).toEqual([]);
  }
};

const run = async (): Promise<string> => {
  const start = { source: { fileId: party.fileId }, target: { records: payments } };
  // The services come back one by one; a client asks again, under the same key.
  const answer = await waitFor(
    async () => {
      const tried = await party.key.post(`/v1/jobs/${party.jobId}/executions`, start, { headers: { 'idempotency-key': 'the run' } });
      return tried.status === 202 && tried;
    },
    { what: 'a run to be accepted', timeoutMs: 30_000 },
  );
  return answer.body.id;
};

/**
 * Once a run is somebody's, in the middle of a COPY, and before the commit; after the commit and before the acknowledgement; after the publication and before it is
 * recorded. Whoever takes over comes to the next point only where the death before has lost nothing and left nothing half done.
 */
const points = {
  identity: [`${consumers.auditTrail.durable}.before-commit`, `${consumers.auditTrail.durable}.after-commit`],
  jobs: [`${consumers.lastRun.durable}.before-commit`, `${consumers.lastRun.durable}.after-commit`],
  executions: ['executions.claimed', 'executions.mid-copy', 'executions.before-commit', 'executions.after-commit', 'relay.published'],
  webhooks: [`${consumers.fanOutExecutions.durable}.before-commit`, `${consumers.fanOutExecutions.durable}.after-commit`, 'webhooks.sent'],
} as const satisfies Record<StatefulService, readonly string[]>;

test('killed at each point, one after the other', { timeout: 240_000 }, async () => {
  // What was done before must not meet the points that wait for the run.
  await waitFor(island.isCalm, { what: 'everything so far to be handled', timeoutMs: 50_000 });
  await waitFor(async () => (await databases.rows('webhooks', `select id from deliveries where status = 'pending'`)).length === 0, {
    what: 'everything so far to be delivered',
    timeoutMs: 50_000,
  });
  const dead = await Promise.all(statefulServices.map((service) => doom(service, points[service])));
  const executionId = await run();
  await Promise.all(dead.map(({ died }) => died));
  await requireOneOfEverything(executionId);
});
