/**
 * How much each may ask: a key or session its own limit, its organization ten times the default, an address without valid
 * credentials the default. The answer's headers speak of the first of them (draft-ietf-httpapi-ratelimit-headers).
 */

import { networkOf } from '@settler/chassis/network';
import { Refusal } from '@settler/chassis/refusal';
import { type Caller, countedAs } from '../authentication/caller.ts';
import { rateWindowMsMax } from '../config.ts';
import { type Count, createCounter, type Limit } from './counters.ts';
import type { SharedCounts } from './redis.ts';

export interface Spent {
  readonly headers: Readonly<Record<string, string>>;
  /** Set where it was one too many. */
  readonly refusal?: Refusal;
}

export interface RateLimits {
  /** `spares`: the organization's limit is not asked. */
  readonly spendCaller: (caller: Caller, spares: boolean) => Promise<Spent>;
  readonly spendAddress: (address: string | null) => Promise<Spent>;
}

const organizationTimes = 10;

export const createRateLimits = (limit: number, windowMs: number, shared: SharedCounts | undefined): RateLimits => {
  const fallback: Limit = { limit, windowSeconds: Math.ceil(windowMs / 1000) };
  const ofOrganization: Limit = { ...fallback, limit: limit * organizationTimes };
  const credentials = createCounter('credential', shared);
  const keys = createCounter('key', shared);
  const addresses = createCounter('address', shared);
  const organizations = createCounter('organization', shared);

  const spendOwn = async (caller: Caller): Promise<Spent> => {
    const { rateLimit } = caller;
    if (rateLimit === null) return spentOf('default', fallback, await credentials(countedAs(caller), fallback));
    const own = { limit: rateLimit.limit, windowSeconds: Math.max(1, Math.ceil(Math.min(rateLimit.windowMs, rateWindowMsMax) / 1000)) };
    return spentOf('default', own, await keys(countedAs(caller), own));
  };

  return {
    spendCaller: async (caller, spares) => {
      const spent = await spendOwn(caller);
      if (spent.refusal !== undefined || spares) return spent;
      const ofAll = await organizations(caller.organizationId, ofOrganization);
      return ofAll.isExceeded ? spentOf('organization', ofOrganization, ofAll) : spent;
    },
    spendAddress: async (address) => spentOf('default', fallback, await addresses(networkOf(address), fallback)),
  };
};

const spentOf = (policy: string, { limit, windowSeconds }: Limit, { isExceeded, remaining, resetSeconds }: Count): Spent => {
  const headers = {
    'ratelimit-policy': `"${policy}";q=${limit};w=${windowSeconds}`,
    ratelimit: `"${policy}";r=${remaining};t=${resetSeconds}`,
  };
  if (!isExceeded) return { headers };
  const detail = `No more than ${limit} requests in ${windowSeconds} seconds; there is room again in ${resetSeconds} seconds.`;
  return { headers, refusal: new Refusal('rate_limited', detail, { retryAfterSeconds: resetSeconds, headers }) };
};
