/** The services behind the gateway: connections to each, and a breaker before them. */

import type { Logger } from '@settler/chassis/logger';
import type { Metrics } from '@settler/chassis/metrics';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { Pool } from 'undici';
import { type Breaker, type BreakerState, createBreaker } from './breaker.ts';

export interface Upstream {
  readonly pool: Pool;
  /** For what stays open for minutes: uploads and event streams must not use up the connections that everything else needs. */
  readonly streamPool: Pool;
  readonly breaker: Breaker;
}

export interface Upstreams {
  readonly to: (service: StatefulService) => Upstream;
  readonly close: () => Promise<void>;
}

export interface UpstreamsOptions {
  readonly urls: Readonly<Record<StatefulService, string>>;
  readonly breakerOpenMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const connectionsMax = 256;
const streamsMax = 2_048;
const connectTimeoutMs = 1_000;
const numberOf: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 0.5, open: 1 };

export const createUpstreams = ({ urls, breakerOpenMs, logger, metrics }: UpstreamsOptions): Upstreams => {
  const breakers = metrics.gauge('settler_breaker_open', 'Whether a service is left alone: 1 open, 0.5 trying, 0 closed.', ['upstream']);
  const open = (service: StatefulService): Upstream => {
    const pool = (connections: number) => new Pool(urls[service], { connections, connectTimeout: connectTimeoutMs, pipelining: 1 });
    breakers.set({ upstream: service }, 0);
    const breaker = createBreaker(service, breakerOpenMs, (state) => {
      breakers.set({ upstream: service }, numberOf[state]);
      logger.warn({ upstream: service, state }, 'a breaker changed');
    });
    return { pool: pool(connectionsMax), streamPool: pool(streamsMax), breaker };
  };
  const upstreams = new Map(statefulServices.map((service) => [service, open(service)]));
  return {
    to: (service) => upstreams.get(service) as Upstream,
    close: async () => {
      for (const { pool, streamPool, breaker } of upstreams.values()) {
        breaker.stop();
        await Promise.all([pool.destroy(), streamPool.destroy()]);
      }
    },
  };
};
