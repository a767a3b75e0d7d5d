/**
 * A process that serves requests beside an execution: a timer of one millisecond stands for them. What it waits for is what they would
 * wait for. Afterwards: how long a run takes to end when it is cancelled, and what memory stays behind. `thread.ts SIZE`
 */
import { setTimeout as wait } from 'node:timers/promises';
import { createMatchingThreads } from '../../services/executions/src/infrastructure/matching/thread.ts';
import { filesOf } from '../inputs/files.ts';
import { collectGarbage, report } from '../measure/sample.ts';
import { csvConfig, openPath } from './read-batch.ts';
import { bothPasses } from './rules.ts';

const files = filesOf(Number(process.argv[2]));
const threads = createMatchingThreads(2_048);
const values: Record<string, number> = {};

/** What the rows are written for. */
const asRun = { organizationId: 'org_1', id: 'exe_1', epoch: 1, createdAt: new Date(0), carriesForward: true, severity: undefined };

const opened = async () => {
  const cancelling = new AbortController();
  const matching = threads.open({ rules: bothPasses, asOf: '2026-02-01', signal: cancelling.signal });
  const input = { adapter: 'csv', config: csvConfig, period: null };
  await matching.read('source', input, openPath(files.orders), () => {});
  await matching.read('target', input, openPath(files.payments), () => {});
  return { matching, cancel: () => cancelling.abort(new Error('cancelled')) };
};

const wholeRun = async (): Promise<number> => {
  const { matching } = await opened();
  const { resultCount } = await matching.match(() => {});
  let taken = 0;
  for await (const { count } of matching.results(asRun)) taken += count;
  if (taken !== resultCount) throw new Error(`${taken} of ${resultCount} results were handed out`);
  await matching.close();
  return taken;
};

/** The longest that a timer of this thread came late, and the most processor time the thread itself spent between two ticks. */
const watched = async (work: () => Promise<unknown>): Promise<{ readonly lateMs: number; readonly busyMs: number }> => {
  let lateMs = 0;
  let busyMs = 0;
  let tickedAt = performance.now();
  let spent = process.threadCpuUsage();
  const timer = setInterval(() => {
    const now = performance.now();
    const { user, system } = process.threadCpuUsage(spent);
    lateMs = Math.max(lateMs, now - tickedAt);
    busyMs = Math.max(busyMs, (user + system) / 1e3);
    tickedAt = now;
    spent = process.threadCpuUsage();
  }, 1);
  await work();
  clearInterval(timer);
  return { lateMs, busyMs };
};

const settledMemoryMb = async (): Promise<number> => {
  collectGarbage();
  // V8 keeps the pages of threads that have ended for eight seconds, in case another one comes.
  await wait(10_000);
  collectGarbage();
  return process.memoryUsage().rss / 2 ** 20;
};

const peakMb = (): number => process.resourceUsage().maxRSS / 1024;

threads.prepare();
values['idle, longest wait ms'] = (await watched(() => wait(2_000))).lateMs;
values['before, MB'] = await settledMemoryMb();
const { lateMs, busyMs } = await watched(wholeRun);
values['longest wait ms'] = lateMs;
values['longest stretch of own work ms'] = busyMs;
values['at its peak, MB'] = peakMb();

const latencies: number[] = [];
for (const delayMs of [50, 200, 400]) {
  const { matching, cancel } = await opened();
  const matched = matching.match(() => {});
  const ended = matched.then(
    () => 'finished',
    () => 'cancelled',
  );
  await wait(delayMs);
  const cancelledAt = performance.now();
  cancel();
  await ended;
  await matching.close();
  latencies.push(performance.now() - cancelledAt);
}
values['cancelling, longest ms'] = Math.max(...latencies);
values['after all runs, MB'] = await settledMemoryMb();
await threads.close();
report({ values });
