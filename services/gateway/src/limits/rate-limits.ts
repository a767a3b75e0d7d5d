/**
 * How much each may ask: a key or session its own limit, its organization ten times the default, an address without valid
 * credentials the default. The answer's headers speak of the first of them (draft-ietf-httpapi-ratelimit-headers).
 */

import { networkOf } from '@settler/chassis/network';
import { Refusal } from '@settler/chassis/refusal';
import { LRUCache } from 'lru-cache';
import { type Caller, countedAs } from '../authentication/caller.ts';
import { rateWindowMsMax } from '../config.ts';
import { type Count, type Counter, createCounter, type Limit } from './counters.ts';
import type { SharedCounts } from './redis.ts';

export interface Spent {
  readonly headers: Readonly<Record<string, string>>;
  /** Set where it was one too many. */
  readonly refusal?: Refusal;
}

export interface RateLimits {
  readonly spendCaller: (caller: Caller) => Promise<Spent>;
  readonly spendAddress: (address: string | null) => Promise<Spent>;
}

const organizationTimes = 10;
/** Distinct limits that keys have been given. */
const ownCountersMax = 1_000;

export const createRateLimits = (limit: number, windowMs: number, shared: SharedCounts | undefined): RateLimits => {
  const fallback: Limit = { limit, windowSeconds: Math.ceil(windowMs / 1000) };
  const credentials = createCounter('credential', fallback, shared);
  const addresses = createCounter('address', fallback, shared);
  const organizations = createCounter('organization', { ...fallback, limit: limit * organizationTimes }, shared);
  const own = new LRUCache<string, Counter>({ max: ownCountersMax });

  const counterOf = ({ rateLimit }: Caller): Counter => {
    if (rateLimit === null) return credentials;
    const windowSeconds = Math.max(1, Math.ceil(Math.min(rateLimit.windowMs, rateWindowMsMax) / 1000));
    const name = `${rateLimit.limit} ${windowSeconds}`;
    const known = own.get(name) ?? createCounter('key', { limit: rateLimit.limit, windowSeconds }, shared);
    own.set(name, known);
    return known;
  };

  return {
    spendCaller: async (caller) => {
      const counter = counterOf(caller);
      const spent = spentOf('default', counter, await counter.spend(countedAs(caller)));
      if (spent.refusal !== undefined) return spent;
      const ofAll = await organizations.spend(caller.organizationId);
      return ofAll.isExceeded ? spentOf('organization', organizations, ofAll) : spent;
    },
    spendAddress: async (address) => spentOf('default', addresses, await addresses.spend(networkOf(address))),
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
