/**
 * Executions whose matching does nothing, handed out as a worker's process does: doorbell, claim, lease, end, and the relay beside it that
 * publishes what is said of each. Only the matching, and what it would be given, is left out. `dispatch.ts ITEMS`
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createBroker } from '../../packages/chassis/src/broker.ts';
import { environmentOf, loadConfig } from '../../packages/chassis/src/config.ts';
import { newId } from '../../packages/chassis/src/ids.ts';
import { createLogger } from '../../packages/chassis/src/logger.ts';
import { createOutbox } from '../../packages/chassis/src/outbox.ts';
import type { Postgres } from '../../packages/chassis/src/postgres.ts';
import { startRelay } from '../../packages/chassis/src/relay.ts';
import { openServiceDatabase } from '../../packages/chassis/src/service-database.ts';
import type { ChassisTables } from '../../packages/chassis/src/tables.ts';
import type { ExecutionSummary } from '../../packages/contracts/src/executions.ts';
import { rules } from '../../packages/contracts/src/rules.ts';
import type { Actor, Matching, PlannedExecution } from '../../services/executions/src/application/ports.ts';
import { type RunNeeds, runExecution } from '../../services/executions/src/application/run-execution.ts';
import { startWorker } from '../../services/executions/src/application/worker.ts';
import { config as schema } from '../../services/executions/src/config.ts';
import { createExecutionStore } from '../../services/executions/src/infrastructure/postgres/runs/execution-store.ts';
import { createLeaseStore } from '../../services/executions/src/infrastructure/postgres/runs/lease-store.ts';
import type { Database } from '../../services/executions/src/infrastructure/postgres/tables.ts';
import { report } from '../measure/sample.ts';

const items = Number(process.argv[2]);
const organizations = Array.from({ length: 10 }, () => newId('organization'));
const atOnce = 500;

const config = loadConfig(schema, environmentOf('executions', process.env));
const logger = createLogger('executions', config.LOG_LEVEL);
const postgres = openServiceDatabase<Database>('executions', config, logger);
const broker = createBroker({
  service: 'executions',
  url: config.NATS_URL,
  logger,
  onLost: (error) => logger.fatal({ err: error }, 'the broker was lost'),
});
const relay = startRelay({
  postgres: postgres as unknown as Postgres<ChassisTables>,
  broker,
  logger,
  pollMs: config.RELAY_POLL_MS,
  leaseMs: config.RELAY_LEASE_MS,
});
const outbox = createOutbox('executions', relay.wake);

const side = { adapter: 'records', config: {} };
const planned: PlannedExecution = {
  jobId: newId('job'),
  jobVersion: 1,
  definition: {
    name: 'nothing to do',
    source: side,
    target: side,
    rules: rules.parse({ passes: [{ name: 'by reference', match: [{ field: 'reference', type: 'exact' }] }] }),
  },
  // Nothing is stored of it but how it ended.
  dryRun: true,
  period: null,
  note: null,
  overlap: true,
  files: [],
};

const nobody = { kind: 'system', id: 'bench', scopes: [], role: undefined, sessionId: undefined, personId: null, address: null } as const;

/** Queued as requests queue them, many in one transaction: filling the queue is not what is measured. */
const queueAll = async (): Promise<void> => {
  const store = createExecutionStore(postgres, outbox);
  for (let queued = 0, turn = 0; queued < items; queued += atOnce, turn += 1) {
    const organizationId = organizations[turn % organizations.length] ?? '';
    const actor: Actor = { principal: { ...nobody, organizationId }, address: null };
    await postgres.organization(organizationId, async () => {
      for (let item = queued; item < Math.min(items, queued + atOnce); item += 1) await store.queue(newId('execution'), planned, actor);
    });
  }
  for (;;) {
    const waiting = await postgres.systemDb.selectFrom('outbox').select('position').limit(1).execute();
    if (waiting.length === 0) return;
    await delay(50);
  }
};

const noRecords = { records: 0, amount: null };
const summary: ExecutionSummary = {
  source: noRecords,
  target: noRecords,
  matched: 0,
  mismatched: 0,
  missingInTarget: 0,
  missingInSource: 0,
  duplicates: 0,
  ambiguous: 0,
  invalid: 0,
  matchRate: 0,
  byCurrency: {},
};
const idle = async function* () {};
const matching = {
  read: async () => [],
  broken: async () => [],
  match: async () => ({ summary, resultCount: 0, problems: [], given: { known: [], changed: [] } }),
  sums: async () => [],
  close: async () => {},
} as unknown as Matching;
const leases = createLeaseStore(postgres, outbox, { leaseMs: config.LEASE_MS, ringAgainMs: config.SWEEP_MS });
const needs: RunNeeds = {
  leases,
  openMatching: () => matching,
  writer: { begin: async () => {}, write: async () => {} },
  openFile: async () => undefined,
  openItems: { read: idle },
  matchedBefore: { read: idle, others: idle },
  handMatches: { read: idle },
  openExceptions: { recordIds: async () => [] },
  separations: { read: idle },
  bases: {
    find: async () => undefined,
    hasIds: async () => ({ source: true, target: true }),
    read: idle,
    matchRate: async () => undefined,
  },
  renewMs: config.LEASE_RENEW_MS,
  logger,
};

await queueAll();
let startedAt = 0;
let done = 0;
const cpu = process.cpuUsage();
const endedAt = await new Promise<number>((resolve) => {
  const worker = startWorker({
    broker,
    leases,
    run: async (held, stopping) => {
      startedAt ||= performance.now();
      await runExecution(needs, held, stopping);
      done += 1;
      if (done < items) return;
      resolve(performance.now());
      setImmediate(() => void worker.stop());
    },
    sweepFiles: async () => {},
    slots: config.WORKER_SLOTS,
    sweepMs: config.SWEEP_MS,
    logger,
  });
});
const { user, system } = process.cpuUsage(cpu);
const { count } = await postgres.systemDb
  .selectFrom('executions')
  .where('status', '=', 'completed')
  .select(({ fn }) => fn.countAll().as('count'))
  .executeTakeFirstOrThrow();
if (Number(count) !== items) throw new Error(`${count} of ${items} executions are completed`);
report({ values: { 'per second': (items / (endedAt - startedAt)) * 1e3, 'processor, µs per item': (user + system) / items } });
process.exit(0);
