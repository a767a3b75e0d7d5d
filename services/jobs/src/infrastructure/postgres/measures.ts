/** Whether schedules are kept: what is due is fired within a second or two, so one that is a minute late is not fired at all. */
import type { Measures } from '@settler/chassis/measures';

export const schedules = {
  query: `select count(*) filter (where next_run_at < now() - interval '1 minute') as late,
                 coalesce(extract(epoch from now() - min(next_run_at)), 0) as lateness
            from jobs where next_run_at <= now() and status = 'active'`,
  gauges: {
    late: { name: 'settler_schedules_late', help: 'Schedules that were due more than a minute ago and have not fired.', labels: [] },
    lateness: {
      name: 'settler_schedules_late_seconds',
      help: 'How long ago the schedule was due that has been waiting longest; 0 where none is due.',
      labels: [],
    },
  },
} as const satisfies Measures;
