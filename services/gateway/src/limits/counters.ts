/** Counters of requests per window: in Redis for all replicas together, with memory as insurance, or in memory alone. */
import { LRUCache } from 'lru-cache';
import { RateLimiterMemory, RateLimiterRedis, type RateLimiterRes } from 'rate-limiter-flexible';
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

/** Counts one request of `key`, whose limit is this. With another limit it begins anew. */
export type Counter = (key: string, limit: Limit) => Promise<Count>;

/** The keys of one counter: whoever can invent addresses could otherwise fill the memory. */
const keysMax = 100_000;

export const createCounter = (name: string, shared: SharedCounts | undefined): Counter => {
  // It counts; what is too much differs from key to key, and is said below.
  const options = { keyPrefix: `settler:${name}`, points: Number.MAX_SAFE_INTEGER, duration: 1 };
  const memory = new RateLimiterMemory(options);
  const keys = new LRUCache<string, true>({
    max: keysMax,
    dispose: (_value, key, reason) => reason === 'evict' && void memory.delete(key),
  });
  const limiter = shared && new RateLimiterRedis({ ...options, storeClient: shared.redis, rejectIfRedisNotReady: true });
  const consume = async (key: string, windowSeconds: number): Promise<RateLimiterRes> => {
    const window = { customDuration: windowSeconds };
    if (limiter === undefined || !shared?.mayAsk()) return memory.consume(key, 1, window);
    try {
      const result = await limiter.consume(key, 1, window);
      shared.answered();
      return result;
    } catch (error) {
      shared.failed(error);
      return memory.consume(key, 1, window);
    }
  };
  return async (key, { limit, windowSeconds }) => {
    const place = `${limit}:${windowSeconds}:${key}`;
    keys.set(place, true);
    const { consumedPoints, msBeforeNext } = await consume(place, windowSeconds);
    return {
      isExceeded: consumedPoints > limit,
      remaining: Math.max(0, limit - consumedPoints),
      resetSeconds: Math.max(1, Math.ceil(msBeforeNext / 1000)),
    };
  };
};
