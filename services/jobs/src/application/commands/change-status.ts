import { type Job, type Move, moveJob } from '../../domain/job.ts';
import type { Actor, JobStore } from '../ports.ts';

interface Needs {
  readonly jobs: JobStore;
  readonly clock: () => Date;
}

/** Pause, resume and archive: one command, because they differ only in the move. */
export const changeStatus =
  ({ jobs, clock }: Needs) =>
  async (id: string, move: Move, ifMatch: number | undefined, actor: Actor): Promise<Job> =>
    jobs.update(id, ifMatch, actor, (job) => moveJob(job, move, clock()));
