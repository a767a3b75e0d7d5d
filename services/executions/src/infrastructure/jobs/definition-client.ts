/** Asks jobs for the definition of a job as it is now. */
import { notFound } from '@settler/chassis/refusal';
import { jobDefinition } from '@settler/contracts/internal/job-definition';
import type { Definitions } from '../../application/ports.ts';
import type { InternalCall } from '../internal-call.ts';

export const createDefinitionClient = (jobs: InternalCall): Definitions => ({
  read: async (jobId, principal) => {
    const answer = await jobs.get(`/internal/jobs/${jobId}/definition`, principal, [200, 404]);
    if (answer.statusCode === 404) throw notFound('job');
    return jobDefinition.parse(JSON.parse(answer.text));
  },
});
