/** How many runs there are to be made, and how long they wait: over the index of all live rows, which are few beside all others. */
import type { Measures } from '@settler/chassis/measures';
import { goesBefore } from './serial.ts';

export const runs = {
  // What waits for its turn behind a run of its own job, or for its next attempt, does not wait for a worker.
  query: `select count(*) filter (where status = 'queued') as queued, count(*) filter (where status = 'running') as running,
                 coalesce(extract(epoch from now() - min(not_before) filter (
                   where status = 'queued' and not_before <= now()
                     and not (is_serial and exists (select from executions o where ${goesBefore('o', 'e')})))), 0) as oldest
            from executions e where status in ('queued', 'running')`,
  gauges: {
    queued: { name: 'settler_executions_queued', help: 'Runs that wait to be taken up.', labels: [] },
    running: { name: 'settler_executions_running', help: 'Runs that were taken up and have not ended.', labels: [] },
    oldest: {
      name: 'settler_executions_queued_oldest_seconds',
      help: 'How long the run has been waiting that a worker could have taken up first; 0 where none waits for a worker.',
      labels: [],
    },
  },
} as const satisfies Measures;
