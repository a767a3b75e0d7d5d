/**
 * Jobs of pg-boss whose handler does nothing. Several workers, each of which fetches and completes a batch with one statement and fetches
 * again at once while batches come full. `pg-boss.ts ITEMS`, on an empty database that DATABASE_URL names
 */
import { setTimeout as delay } from 'node:timers/promises';
import { PgBoss } from 'pg-boss';
import { report } from '../measure/sample.ts';

const items = Number(process.argv[2]);
// The fastest of what was tried: 2 to 8 workers, batches of 100 and 500.
const batchSize = 500;
const workers = 2;
const queue = 'nothing-to-do';

const boss = new PgBoss({ connectionString: process.env['DATABASE_URL'] ?? '', supervise: false, schedule: false, max: workers + 2 });
await boss.start();
await boss.createQueue(queue);
for (let queued = 0; queued < items; queued += 1_000)
  await boss.insert(
    queue,
    Array.from({ length: Math.min(1_000, items - queued) }, (_, index) => ({ data: { item: queued + index } })),
  );
await boss.getDb().executeSql('vacuum analyze');

let startedAt = 0;
let handled = 0;
const cpu = process.cpuUsage();
const settings = { batchSize, localConcurrency: workers, pollingIntervalSeconds: 0.5, burstWhenBatchFull: true };
await boss.work(queue, settings, async (jobs) => {
  startedAt ||= performance.now();
  handled += jobs.length;
});
while (handled < items) await delay(5);
for (;;) {
  const { rows } = await boss
    .getDb()
    .executeSql(`select count(*)::int as open from pgboss.job where name = '${queue}' and state < 'completed'`);
  if (rows[0]?.['open'] === 0) break;
}
const seconds = (performance.now() - startedAt) / 1e3;
const { user, system } = process.cpuUsage(cpu);
report({ values: { 'per second': items / seconds, 'processor, µs per item': (user + system) / items } });
await boss.stop({ graceful: false });
