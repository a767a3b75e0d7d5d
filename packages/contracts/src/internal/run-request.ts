/** What jobs asks of executions when a schedule is due: a run of the job as it is when the request is seen to. */
import { z } from 'zod';
import { jobId } from '../ids.ts';
import { instant } from '../time.ts';

export const runRequestType = 'run.requested';

/** A job and a due time are one request, however often it is said. */
export const runRequest = z.object({ jobId, dueAt: instant });
export type RunRequest = z.infer<typeof runRequest>;

export const runRequestExample: RunRequest = { jobId: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6', dueAt: '2026-04-01T04:00:00.000Z' };
