/** What executions asks of jobs before it accepts a run: the definition as it is now, without secrets. */
import { z } from 'zod';
import { jobStatus } from '../events/jobs.ts';
import { jobId } from '../ids.ts';

const side = z.object({ adapter: z.string(), config: z.record(z.string(), z.unknown()) });

export const jobDefinition = z.object({
  jobId,
  name: z.string(),
  status: jobStatus,
  version: z.number().int().positive(),
  source: side,
  target: side,
  rules: z.record(z.string(), z.unknown()),
});
export type JobDefinition = z.infer<typeof jobDefinition>;
