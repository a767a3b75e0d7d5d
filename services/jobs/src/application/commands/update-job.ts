import { changeJob, type Job, type JobChange } from '../../domain/job.ts';
import { requireReadable } from '../configuration.ts';
import type { Actor, JobStore } from '../ports.ts';

interface Needs {
  readonly jobs: JobStore;
  readonly clock: () => Date;
}

export const updateJob =
  ({ jobs, clock }: Needs) =>
  async (id: string, change: JobChange, ifMatch: number | undefined, actor: Actor): Promise<Job> => {
    requireReadable(change);
    return jobs.update(id, ifMatch, actor, (job) => changeJob(job, change, clock()));
  };
