/** Asks another service on behalf of somebody. At most two seconds, behind a breaker: a request is accepted or refused quickly. */
import { withDeadline } from '@settler/chassis/deadline';
import type { InternalSigner } from '@settler/chassis/internal-token';
import type { Principal } from '@settler/chassis/principal';
import { Refusal } from '@settler/chassis/refusal';
import { becauseOf } from '@settler/contracts/internal/away';
import CircuitBreaker from 'opossum';
import { Pool } from 'undici';

const timeoutMs = 2_000;
// Opossum's own default opens on the first failure.
const breakerOptions = {
  timeout: false,
  volumeThreshold: 20,
  errorThresholdPercentage: 50,
  rollingCountTimeout: 10_000,
  resetTimeout: 5_000,
} as const;

export interface InternalAnswer {
  readonly statusCode: number;
  readonly text: string;
}

export interface InternalCall {
  /**
   * `understood`: the statuses that whoever asks can make something of.
   * @throws Refusal `upstream_unavailable` where the service does not answer, or with something else
   */
  readonly get: (path: string, principal: Principal, understood: readonly number[]) => Promise<InternalAnswer>;
  readonly close: () => Promise<void>;
}

export const createInternalCall = (callee: 'identity' | 'jobs', url: string, sign: InternalSigner): InternalCall => {
  const pool = new Pool(url, { connections: 16, connect: { timeout: 1_000 } });
  const ask = (path: string, token: string, understood: readonly number[]): Promise<InternalAnswer> =>
    withDeadline(timeoutMs, async ({ signal }) => {
      const { statusCode, body } = await pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${token}` }, signal });
      const text = await body.text();
      if (!understood.includes(statusCode)) throw new Error(`${callee} answered ${statusCode}`);
      return { statusCode, text };
    });
  const breaker = new CircuitBreaker(ask, breakerOptions);
  return {
    get: (path, { id, kind, organizationId, scopes }, understood) => {
      const token = sign({ aud: callee, sub: id, kind, org: organizationId, scopes: [...scopes] });
      return breaker.fire(path, token, understood).catch((cause: unknown) => {
        throw new Refusal('upstream_unavailable', `The ${callee} service does not answer; try again shortly.`, {
          retryAfterSeconds: 2,
          headers: becauseOf(callee),
          cause,
        });
      });
    },
    close: async () => {
      breaker.shutdown();
      await pool.close();
    },
  };
};
