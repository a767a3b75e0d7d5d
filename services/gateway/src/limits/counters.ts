/** Counters of requests per window: in Redis for all replicas together, with memory as insurance, or in memory alone. */
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { SharedCounts } from './redis.ts';

export interface Limit {
  readonly limit: number;
  readonly windowSeconds: number;
}

export interface Count {
  readonly isExceeded: boolean;
  readonly remaining: number;
  readonly resetSeconds: number;
}

export interface Counter extends Limit {
  /** Counts one request of `key`. */
  readonly spend: (key: string) => Promise<Count>;
}

/** The keys of one counter: whoever can invent addresses could otherwise fill the memory. */
const keysMax = 100_000;

export const createCounter = (name: string, { limit, windowSeconds }: Limit, shared: SharedCounts | undefined): Counter => {
  const options = { keyPrefix: `settler:${name}:${limit}:${windowSeconds}`, points: limit, duration: windowSeconds };
  const memory = new RateLimiterMemory(options);
  const keys = new LRUCache<string, true>({
    max: keysMax,
    dispose: (_value, key, reason) => reason === 'evict' && void memory.delete(key),
  });
  const limiter = shared && new RateLimiterRedis({ ...options, storeClient: shared.redis, rejectIfRedisNotReady: true });
  const consume = async (key: string): Promise<RateLimiterRes> => {
    if (limiter === undefined || !shared?.mayAsk()) return memory.consume(key);
    try {
      const result = await limiter.consume(key);
      shared.answered();
      return result;
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) {
        shared.failed(error);
        return memory.consume(key);
      }
      shared.answered();
      throw error;
    }
  };
  const countOf = (result: RateLimiterRes, isExceeded: boolean): Count => ({
    isExceeded,
    remaining: result.remainingPoints,
    resetSeconds: Math.max(1, Math.ceil(result.msBeforeNext / 1000)),
  });
  const within = (result: RateLimiterRes): Count => countOf(result, false);
  const exceeded = (result: unknown): Count => {
    if (result instanceof RateLimiterRes) return countOf(result, true);
    throw result;
  };
  return {
    limit,
    windowSeconds,
    spend: (key) => {
      keys.set(key, true);
      return consume(key).then(within, exceeded);
    },
  };
};
