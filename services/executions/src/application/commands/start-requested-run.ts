/** A schedule was due: queues the run as a request by hand would have, or says why there is none. */
import type { Logger } from '@settler/chassis/logger';
import { Refusal } from '@settler/chassis/refusal';
import type { Definitions, RequestedRun, RunRequests } from '../ports.ts';
import { systemActor } from '../system-actor.ts';
import { planExecution } from './plan-execution.ts';

interface Needs {
  readonly requests: RunRequests;
  readonly definitions: Definitions;
  readonly newId: () => string;
  readonly logger: Logger;
}

export const startRequestedRun =
  ({ requests, definitions, newId, logger }: Needs) =>
  async (requested: RequestedRun): Promise<void> => {
    const actor = systemActor('schedule', requested.organizationId);
    try {
      const job = await definitions.read(requested.jobId, actor.principal);
      // Paused or archived between the due time and now.
      if (job.status !== 'active') return await requests.skip(requested, job.status, actor);
      const note = `Scheduled for ${requested.dueAt.toISOString()}`;
      await requests.queue(requested, newId(), planExecution(job, { dryRun: false, overlap: false, note }), actor);
    } catch (error) {
      if (error instanceof Refusal && error.code === 'not_found') return await requests.skip(requested, 'no_such_job', actor);
      logger.warn({ err: error, jobId: requested.jobId, dueAt: requested.dueAt }, 'a scheduled run is asked for again shortly');
    }
  };
