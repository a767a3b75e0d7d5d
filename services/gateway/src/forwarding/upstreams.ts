/** The services behind the gateway: connections to each, a bound on what waits for them, and a breaker before them. */
import { withDeadline } from '@settler/chassis/deadline';
import type { Logger } from '@settler/chassis/logger';
import type { Metrics } from '@settler/chassis/metrics';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { Pool } from 'undici';
import { breakerOpen } from '../metrics.ts';
import { type Breaker, type BreakerState, createBreaker } from './breaker.ts';
import { createPlaces, type Places } from './places.ts';

/** Connections to a service, and how many requests may have one or wait for one. */
export interface Lane {
  readonly pool: Pool;
  readonly places: Places;
}

export interface Upstream {
  readonly requests: Lane;
  /** For bodies that go there as they come, at the pace of their clients. */
  readonly uploads: Lane;
  /** For streams of events and downloads. What stays open for minutes must not use up the connections that everything else needs. */
  readonly streams: Lane;
  readonly breaker: Breaker;
}

export interface Upstreams {
  readonly to: (service: StatefulService) => Upstream;
  /** The answer to a question of the gateway's own, as JSON. @throws where it is not 200, or not there in time */
  readonly ask: (service: StatefulService, path: string, timeoutMs?: number) => Promise<unknown>;
  readonly close: () => Promise<void>;
}

export interface UpstreamsOptions {
  readonly urls: Readonly<Record<StatefulService, string>>;
  readonly breakerOpenMs: number;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const connectionsMax = 256;
const waitingMax = 4_096;
const uploadsMax = 2_048;
const streamsMax = 2_048;
const connectTimeoutMs = 1_000;
const askTimeoutMs = 2_000;
const numberOf: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 0.5, open: 1 };

export const createUpstreams = ({ urls, breakerOpenMs, logger, metrics }: UpstreamsOptions): Upstreams => {
  const breakers = metrics.gauge(breakerOpen);

  const open = (service: StatefulService): Upstream & { readonly own: Pool } => {
    const pool = (connections: number) => new Pool(urls[service], { connections, connectTimeout: connectTimeoutMs, pipelining: 1 });
    // Its own, so that it is told how the service is and not how many wait for it.
    const own = pool(4);
    breakers.set({ upstream: service }, 0);
    const breaker = createBreaker({
      name: service,
      openMs: breakerOpenMs,
      probe: () =>
        withDeadline(askTimeoutMs, async ({ signal }) => {
          const { statusCode, body } = await own.request({ method: 'GET', path: '/health/ready', signal });
          await body.dump();
          if (statusCode >= 500) throw new Error(`${service} says that it is not ready`);
        }),
      onChange: (state) => {
        breakers.set({ upstream: service }, numberOf[state]);
        logger.warn({ upstream: service, state }, 'a breaker changed');
      },
    });
    return {
      requests: { pool: pool(connectionsMax), places: createPlaces(connectionsMax + waitingMax) },
      uploads: { pool: pool(uploadsMax), places: createPlaces(uploadsMax) },
      streams: { pool: pool(streamsMax), places: createPlaces(streamsMax) },
      own,
      breaker,
    };
  };

  const upstreams = new Map(statefulServices.map((service) => [service, open(service)]));
  const to = (service: StatefulService) => upstreams.get(service) as ReturnType<typeof open>;
  return {
    to,
    ask: (service, path, timeoutMs = askTimeoutMs) =>
      withDeadline(timeoutMs, async ({ signal }) => {
        const { statusCode, body } = await to(service).own.request({ method: 'GET', path, signal });
        if (statusCode === 200) return body.json();
        await body.dump();
        throw new Error(`${service} answered ${statusCode} to ${path}`);
      }),
    close: async () => {
      for (const { requests, uploads, streams, own, breaker } of upstreams.values()) {
        breaker.stop();
        await Promise.all([requests.pool.destroy(), uploads.pool.destroy(), streams.pool.destroy(), own.destroy()]);
      }
    },
  };
};
