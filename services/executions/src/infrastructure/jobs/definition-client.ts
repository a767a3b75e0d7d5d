/** Asks jobs for the definition of a job as it is now. */
import { notFound } from '@settler/chassis/refusal';
import { jobDefinition } from '@settler/contracts/internal/job-definition';
import type { Definitions } from '../../application/ports.ts';
import type { InternalCall } from '../internal-call.ts';

export const createDefinitionClient = (jobs: InternalCall): Definitions => ({
  read: async (jobId, principal) => {
    const answer = await jobs.get(`/internal/jobs/${jobId}/definition`, principal);
    if (answer.statusCode === 404) throw notFound('job');
    if (answer.statusCode !== 200) throw new Error(`jobs answered ${answer.statusCode} to a definition`);
    return jobDefinition.parse(JSON.parse(answer.text));
  },
});
