/** The connection to Redis or Valkey. It is asked for nothing but counts, so that it may be slow or away: memory counts instead. */
import type { Logger } from '@settler/chassis/logger';
import { Redis } from 'ioredis';

const reconnectMsMax = 2_000;
/** A limit is not worth a wait. */
const commandTimeoutMs = 100;

export const createRedis = (url: string, logger: Logger): Redis => {
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
  return redis;
};
