/**
 * Two workers of executions, and a run that is worth interrupting: whichever has it is killed early, in the middle and near the end.
 * The other one ends the run, within the lease and five seconds more, and what it leaves is what an undisturbed run leaves, once.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createIsland, type Island, type StartedService, type System, startReplica, startSystem, waitFor } from '@settler/harness';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { createParty, must, type Party } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';

/** A sixth of what it is elsewhere, or most of this would be waiting. */
const leaseMs = 5_000;
const takeoverMs = leaseMs + 5_000;
const settings = { LEASE_MS: String(leaseMs), LEASE_RENEW_MS: '1000', SWEEP_MS: '500' };
const records = 30_000;

let island: Island;
let system: System;
let databases: Databases;
let receiver: Receiver;
let party: Party;
let files: { readonly source: { readonly fileId: string }; readonly target: { readonly fileId: string } };
let workers: readonly StartedService[];

const side = { adapter: 'csv', config: { fields: { id: 'Id', amount: 'Amount', currency: 'Currency', reference: 'Reference' } } };
const job = {
  name: 'orders against payments',
  source: side,
  target: side,
  rules: {
    passes: [
      {
        name: 'by reference',
        match: [
          { field: 'reference', type: 'exact' },
          { field: 'amount', type: 'amount', verify: true },
        ],
      },
    ],
  },
};

/** One in fifty is on this side alone, and one in a hundred has another amount there than here. */
const csv = (prefix: string): string => {
  const lines = ['Id,Amount,Currency,Reference'];
  for (let index = 0; index < records; index += 1) {
    if (index % 50 === prefix.charCodeAt(0) % 50) continue;
    const cents = 1_000 + ((index * 7_919) % 90_000) + (prefix === 'p' && index % 100 === 7 ? 30 : 0);
    lines.push(`${prefix}${index},${(cents / 100).toFixed(2)},EUR,R${index}`);
  }
  return `${lines.join('\n')}\n`;
};

const upload = async (prefix: string): Promise<{ readonly fileId: string }> => {
  const headers = { 'content-type': 'text/csv' };
  const { id } = await must(201, party.key.post(`/v1/files?name=${prefix}.csv`, undefined, { raw: csv(prefix), headers }));
  return { fileId: id };
};

beforeAll(async () => {
  island = await createIsland();
  [system, receiver] = await Promise.all([startSystem(island, { executions: { ...settings, ROLE: 'api' } }), startReceiver()]);
  databases = await openDatabases(island);
  workers = [await startWorker(), await startWorker()];
  party = await createParty(system.url, 'takeover', receiver.url);
  const { secret } = await must(201, party.key.post('/v1/webhooks', { url: receiver.url, events: ['execution.*'] }));
  receiver.trust(secret);
  const [source, target] = await Promise.all([upload('o'), upload('p')]);
  files = { source, target };
});
afterAll(async () => {
  await Promise.all([receiver.close(), databases.close()]);
  await island.dispose();
});

const startWorker = (): Promise<StartedService> => startReplica(island, 'executions', { ...settings, ROLE: 'worker' });

/** In a job of its own, so that the exceptions of one run are not those of another. */
const begin = async (): Promise<string> => {
  const { id } = await must(201, party.key.post('/v1/jobs', job));
  return (await must(202, party.key.post(`/v1/jobs/${id}/executions`, files))).id;
};

const read = (id: string) => must(200, party.key.get(`/v1/executions/${id}`));

const ended = (id: string, timeoutMs: number) =>
  waitFor(async () => (await read(id)).status === 'completed', { what: `the end of ${id}`, timeoutMs, intervalMs: 50 });

/** Everything that a run says of its records and of the money, without what is new in each run. */
const saidBy = async (id: string) => {
  const { jobId, summary } = await read(id);
  const { outcomes, certificate } = await must(200, party.key.get(`/v1/executions/${id}/report`));
  const exported = await fetch(`${system.url}/v1/executions/${id}/export?format=jsonl`, { headers: { 'x-api-key': party.apiKey } });
  const results = (await exported.text()).split('\n').map((line) => line.replaceAll(/"(?:res|exe|exc)_\w+"/g, '"…"'));
  const exceptions = await databases.rows(
    'executions',
    'select category, severity, status, count(*) from exceptions where job_id = $1 group by 1, 2, 3 order by 1, 2, 3',
    [jobId],
  );
  return { summary, outcomes, certificate, exceptions, results: results.sort() };
};

interface Progress {
  readonly stage: string;
  readonly done: number;
  readonly total: number | null;
}

/** How far the work is. Most of it is writing. */
const points: Record<string, (progress: Progress) => boolean> = {
  early: ({ stage }) => stage === 'reading' || stage === 'matching',
  'in the middle': ({ stage, done, total }) => stage === 'matching' || (stage === 'writing' && done < (total ?? 0) / 2),
  'near the end': ({ stage, done, total }) => stage === 'writing' && done > (total ?? 0) / 2,
};

/** Kills whoever has the run when it is there. False where the run was faster. */
const killAt = async (id: string, isThere: (progress: Progress) => boolean): Promise<boolean> => {
  for (;;) {
    const [row] = await databases.rows('executions', 'select status, progress, lease_owner from executions where id = $1', [id]);
    if (row?.['status'] === 'completed') return false;
    if (row?.['status'] !== 'running' || !isThere(row['progress'] as Progress)) {
      // Not all the time: it would take the processor from the run. How far that is, is told four times a second.
      await delay(20);
      continue;
    }
    const isHolder = ({ pid }: StartedService) => String(row['lease_owner']).split(':')[1] === String(pid);
    const holder = workers.find(isHolder) as StartedService;
    holder.kill('SIGKILL');
    await holder.exited;
    workers = workers.filter((worker) => worker !== holder);
    return true;
  }
};

let undisturbed: Awaited<ReturnType<typeof saidBy>>;
test('an undisturbed run says what the others have to say', { timeout: 60_000 }, async () => {
  const id = await begin();
  await ended(id, 50_000);
  undisturbed = await saidBy(id);
  expect(undisturbed.certificate.holds).toBe(true);
  expect(undisturbed.results.length).toBeGreaterThan(records);
});

test.each(Object.entries(points))(
  'killed %s, the other replica ends it, and nothing is different',
  { timeout: 120_000 },
  async (_where, isThere) => {
    let id = await begin();
    // One that was over before it could be killed shows nothing.
    while (!(await killAt(id, isThere))) id = await begin();
    const killedAt = performance.now();
    const [row] = await databases.rows('executions', 'select attempt, status from executions where id = $1', [id]);
    expect(row).toEqual({ attempt: 1, status: 'running' });
    await waitFor(
      async () => (await databases.rows('executions', 'select attempt from executions where id = $1', [id]))[0]?.['attempt'] === 2,
      { what: 'the other to take it over', timeoutMs: takeoverMs, intervalMs: 50 },
    );
    expect(performance.now() - killedAt).toBeLessThan(takeoverMs);
    workers = [...workers, await startWorker()];
    await ended(id, 60_000);
    expect(await saidBy(id)).toEqual(undisturbed);

    const said = () => receiver.received.filter(({ data }) => data.executionId === id).map(({ type }) => type);
    await waitFor(() => said().includes('execution.completed'), { what: 'the webhooks', timeoutMs: 30_000 });
    await waitFor(island.isCalm, { what: 'everything to be handled', timeoutMs: 30_000 });
    expect(said().sort()).toEqual(['execution.completed', 'execution.queued', 'execution.started']);
  },
);
