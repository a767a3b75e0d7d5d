import { type Job, type JobInput, newJob } from '../../domain/job.ts';
import { requireReadable } from '../configuration.ts';
import type { Actor, JobStore } from '../ports.ts';

interface Needs {
  readonly jobs: JobStore;
  readonly clock: () => Date;
  readonly newId: () => string;
}

export const createJob =
  ({ jobs, clock, newId }: Needs) =>
  async (input: JobInput, actor: Actor): Promise<Job> => {
    requireReadable(input.configuration);
    const transition = newJob(newId(), actor.principal.organizationId, input, clock());
    await jobs.insert(transition, actor);
    return transition.job;
  };
