/** Asks jobs for the definition of a job as it is now. At most two seconds, behind a breaker: a run is accepted or refused quickly. */
import type { InternalSigner } from '@settler/chassis/internal-token';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { awayHeader } from '@settler/contracts/internal/away';
import { jobDefinition } from '@settler/contracts/internal/job-definition';
import CircuitBreaker from 'opossum';
import { Pool } from 'undici';
import type { Definitions } from '../../application/ports.ts';

const timeoutMs = 2_000;
// Opossum's own default opens on the first failure.
const breakerOptions = {
  timeout: false,
  volumeThreshold: 20,
  errorThresholdPercentage: 50,
  rollingCountTimeout: 10_000,
  resetTimeout: 5_000,
} as const;

export const createDefinitionClient = (jobsUrl: string, sign: InternalSigner): Definitions & { readonly close: () => Promise<void> } => {
  const pool = new Pool(jobsUrl, { connections: 16, connect: { timeout: 1_000 } });
  const ask = async (path: string, token: string) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${token}` }, signal });
    const text = await body.text();
    if (statusCode >= 500) throw new Error(`jobs answered ${statusCode}`);
    return { statusCode, text };
  };
  const breaker = new CircuitBreaker(ask, breakerOptions);
  return {
    read: async (jobId, principal) => {
      const token = sign({
        aud: 'jobs',
        sub: principal.id,
        kind: principal.kind,
        org: principal.organizationId,
        scopes: [...principal.scopes],
      });
      const answer = await breaker.fire(`/internal/jobs/${jobId}/definition`, token).catch((cause: unknown) => {
        const headers = { [awayHeader]: 'jobs' };
        throw new Refusal('upstream_unavailable', 'The jobs service does not answer; try again shortly.', {
          retryAfterSeconds: 2,
          headers,
          cause,
        });
      });
      if (answer.statusCode === 404) throw notFound('job');
      if (answer.statusCode !== 200) throw new Error(`jobs answered ${answer.statusCode} to a definition`);
      return jobDefinition.parse(JSON.parse(answer.text));
    },
    close: async () => {
      breaker.shutdown();
      await pool.close();
    },
  };
};
