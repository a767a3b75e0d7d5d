/**
 * The connection to Redis or Valkey. It is asked for nothing but counts, so that it may be slow or away: memory counts instead. One that
 * hangs would cost every request a wait, so after a few counts that came too late it is left alone, and now and then one request tries it.
 */
import type { Logger } from '@settler/chassis/logger';
import { Redis } from 'ioredis';

const reconnectMsMax = 2_000;
/** A limit is not worth a wait. */
const commandTimeoutMs = 100;
const lateMax = 3;
const restMs = 2_000;

/** Counts for all replicas together. */
export interface SharedCounts {
  readonly redis: Redis;
  /** Whether it is worth asking now; then one of the two below is called. */
  readonly mayAsk: () => boolean;
  readonly answered: () => void;
  readonly failed: (error: unknown) => void;
}

export const createSharedCounts = (url: string, logger: Logger, now = () => performance.now()): SharedCounts => {
  let isAway = false;
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
    connectTimeout: 1_000,
    retryStrategy: (times) => Math.min(100 * times, reconnectMsMax),
  });
  redis.on('error', (error) => {
    if (!isAway) logger.warn({ err: error }, 'redis cannot be reached: each replica counts requests for itself');
    isAway = true;
  });
  redis.on('ready', () => {
    if (isAway) logger.info('redis can be reached again');
    isAway = false;
  });

  let late = 0;
  let restsUntilMs = 0;
  return {
    redis,
    mayAsk: () => {
      if (late < lateMax) return true;
      if (now() < restsUntilMs) return false;
      restsUntilMs = now() + restMs;
      return true;
    },
    answered: () => {
      if (late >= lateMax) logger.info('redis answers in time again');
      late = 0;
    },
    failed: (error) => {
      if (!isLate(error)) return;
      late += 1;
      if (late === lateMax) logger.warn({ err: error }, 'redis answers too late: each replica counts requests for itself');
      restsUntilMs = now() + restMs;
    },
  };
};

/** As ioredis says that `commandTimeout` is over. Of one that is away it knows at once. */
const isLate = (error: unknown): boolean => error instanceof Error && error.message === 'Command timed out';
