/**
 * Jobs of graphile-worker whose task does nothing, with a queue in the process's memory that is filled by one statement, and completions that
 * are written together. `graphile-worker.ts ITEMS`, on an empty database that DATABASE_URL names
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import { report } from '../measure/sample.ts';

const items = Number(process.argv[2]);
const task = 'nothing_to_do';
const quiet = new Logger(() => () => {});
// The fastest of what was tried: 10 and 24 jobs at once, completions written together and one by one.
const size = 500;
const concurrentJobs = 10;
const completeJobBatchDelay = 0;
const connectionString = process.env['DATABASE_URL'] ?? '';
const preset = {
  worker: { connectionString, concurrentJobs, maxPoolSize: concurrentJobs + 2, localQueue: { size }, completeJobBatchDelay },
};

const utils = await makeWorkerUtils({ connectionString, logger: quiet });
await utils.migrate();
for (let queued = 0; queued < items; queued += 1_000)
  await utils.addJobs(
    Array.from({ length: Math.min(1_000, items - queued) }, (_, index) => ({ identifier: task, payload: { item: queued + index } })),
  );
await utils.withPgClient((client) => client.query('vacuum analyze'));

let startedAt = 0;
let handled = 0;
const cpu = process.cpuUsage();
const runner = await run({
  preset,
  logger: quiet,
  noHandleSignals: true,
  taskList: {
    [task]: async () => {
      startedAt ||= performance.now();
      handled += 1;
    },
  },
});
while (handled < items) await delay(5);
for (;;) {
  const { rows } = await utils.withPgClient((client) => client.query('select count(*)::int as open from graphile_worker._private_jobs'));
  if (rows[0]?.['open'] === 0) break;
}
const seconds = (performance.now() - startedAt) / 1e3;
const { user, system } = process.cpuUsage(cpu);
report({ values: { 'per second': items / seconds, 'processor, µs per item': (user + system) / items } });
await runner.stop();
await utils.release();
