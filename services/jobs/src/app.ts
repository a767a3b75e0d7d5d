/** The only file that knows everything: adapters, use cases, routes and consumers, wired by hand. */
import { acknowledgeErasure } from '@settler/chassis/erasure';
import { newId } from '@settler/chassis/ids';
import type { Life } from '@settler/chassis/lifecycle';
import { createService } from '@settler/chassis/service';
import { consumers } from '@settler/contracts/streams';
import { changeStatus } from './application/commands/change-status.ts';
import { createJob } from './application/commands/create-job.ts';
import { updateJob } from './application/commands/update-job.ts';
import { startScheduler } from './application/scheduler.ts';
import type { Config } from './config.ts';
import { createJobQueries } from './infrastructure/postgres/job-queries.ts';
import { createJobStore } from './infrastructure/postgres/job-store.ts';
import { recordLastExecution } from './infrastructure/postgres/last-execution.ts';
import { schedules as schedulesMeasured } from './infrastructure/postgres/measures.ts';
import { createScheduleStore } from './infrastructure/postgres/schedule-store.ts';
import type { Database } from './infrastructure/postgres/tables.ts';
import { adapterRoutes } from './routes/adapters.ts';
import { internalRoutes } from './routes/internal.ts';
import { jobRoutes } from './routes/jobs.ts';

export const start = async (config: Config, life: Life): Promise<string> => {
  const service = await createService<Database>('jobs', config, life);
  const { endpoint } = service.endpoints;
  const jobs = createJobStore(service.postgres, service.outbox);
  const queries = createJobQueries(service.postgres, service.cursors);
  const clock = () => new Date();

  jobRoutes(endpoint, {
    queries,
    createJob: createJob({ jobs, clock, newId: () => newId('job') }),
    updateJob: updateJob({ jobs, clock }),
    changeStatus: changeStatus({ jobs, clock }),
  });
  adapterRoutes(endpoint, service.cursors);
  internalRoutes(service.app, service.verify, queries);
  const schedules = createScheduleStore(service.postgres, service.outbox, { graceMs: config.SCHEDULE_GRACE_MS, logger: life.logger });
  const scheduler = startScheduler({ schedules, tickMs: config.SCHEDULE_TICK_MS, logger: life.logger });
  life.onStop('scheduler', scheduler.stop);
  service.measure(schedulesMeasured);
  service.consume(consumers.lastRun, recordLastExecution);
  service.consume(consumers.erasuresInJobs, acknowledgeErasure('jobs', service.outbox));
  return service.listen();
};
