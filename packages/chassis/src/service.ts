/** What a service with a database is made of, put together the same way each time. Its own app.ts adds routes and consumers. */
import { hkdfSync } from 'node:crypto';
import type { Envelope } from '@settler/contracts/envelope';
import type { StatefulService } from '@settler/contracts/services';
import type { ConsumerDefinition } from '@settler/contracts/streams';
import type { FastifyInstance } from 'fastify';
import { sql, type Transaction } from 'kysely';
import type { z } from 'zod';
import { type Broker, createBroker } from './broker.ts';
import type { brokerSettings, databaseSettings, serviceSettings } from './config.ts';
import { type ConsumerOptions, startConsumer } from './consumer.ts';
import { createEndpoints, type Endpoints } from './endpoint.ts';
import { type HealthCheck, serveHealth } from './health.ts';
import { createHttp } from './http.ts';
import { createIdempotency, type Idempotency } from './idempotency.ts';
import { createInternalSigner, createInternalVerifier, type InternalSigner, type InternalVerifier } from './internal-token.ts';
import { startJanitor } from './janitor.ts';
import type { Life } from './lifecycle.ts';
import { type Measures, startMeasures } from './measures.ts';
import { messaging } from './messaging-metrics.ts';
import { createMetrics, type Metrics, measureRequests, serveMetrics } from './metrics.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { type Cursors, createCursors } from './pagination.ts';
import type { Postgres } from './postgres.ts';
import { startRelay } from './relay.ts';
import { startRetention } from './retention.ts';
import { openServiceDatabase } from './service-database.ts';
import type { ChassisTables } from './tables.ts';

type Shape = typeof serviceSettings & typeof databaseSettings & typeof brokerSettings;
export type ServiceConfig = z.output<z.ZodObject<Shape>>;

export interface ServiceParts<DB extends ChassisTables> {
  readonly app: FastifyInstance;
  readonly endpoints: Endpoints;
  readonly postgres: Postgres<DB>;
  readonly broker: Broker;
  readonly outbox: Outbox;
  readonly cursors: Cursors;
  readonly idempotency: Idempotency;
  readonly metrics: Metrics;
  /** Gauges of the service's own tables. */
  readonly measure: (measures: Measures) => void;
  readonly sign: InternalSigner;
  readonly verify: InternalVerifier;
  /** Consumers begin when the service listens. */
  readonly consume: (definition: ConsumerDefinition, handle: (trx: Transaction<DB>, envelope: Envelope) => Promise<void>) => void;
  /** The same, where many messages of one aggregate cost hardly more than one. */
  readonly consumeTogether: (
    definition: ConsumerDefinition,
    handle: (trx: Transaction<DB>, envelopes: readonly Envelope[]) => Promise<void>,
  ) => void;
  /** Checks that every route of the contract is served, then listens. Returns the address. */
  readonly listen: () => Promise<string>;
}

const janitorEveryMs = 60_000;

export const createService = async <DB extends ChassisTables>(
  name: StatefulService,
  config: ServiceConfig,
  life: Life,
): Promise<ServiceParts<DB>> => {
  const { logger } = life;
  const postgres = openServiceDatabase<DB>(name, config, logger);
  life.onStop('postgres', postgres.close);
  // The chassis' tables are part of every DB; the type of a generic interface cannot be narrowed to them without saying so.
  const chassisPostgres = postgres as unknown as Postgres<ChassisTables>;
  const broker = createBroker({ service: name, url: config.NATS_URL, logger, onLost: life.fail });
  life.onStop('broker', broker.close);
  const relay = startRelay({ postgres: chassisPostgres, broker, logger, pollMs: config.RELAY_POLL_MS, leaseMs: config.RELAY_LEASE_MS });
  life.onStop('relay', relay.stop);
  life.onStop('janitor', startJanitor({ service: name, broker, logger, everyMs: janitorEveryMs }).stop);
  life.onStop('retention', startRetention(chassisPostgres, logger).stop);

  const idempotency = createIdempotency(chassisPostgres, derivedKey(config.SERVICE_SIGNING_KEY, 'idempotency'));
  const verify = createInternalVerifier(name, config.SERVICE_PUBLIC_KEYS);
  const metrics = createMetrics(name);
  const measure = (measures: Measures) => startMeasures(measures, { metrics, postgres: chassisPostgres, logger });
  measure(messaging);
  const app = await createHttp({ service: name, logger, isStopping: life.isStopping });
  measureRequests(app, metrics);
  serveMetrics(app, metrics);
  serveHealth(app, dependencies(chassisPostgres, broker), life.isStopping);
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
  const endpoints = createEndpoints({ app, service: name, verify, idempotency });
  const consumers: (() => void)[] = [];
  const consume = (what: Pick<ConsumerOptions<DB>, 'definition' | 'handle' | 'handleTogether'>) =>
    consumers.push(() => {
      const { CONSUMER_ATTEMPTS_MAX: attemptsMax, CONSUMER_RETRY_MS: retryMs } = config;
      life.onStop(what.definition.durable, startConsumer({ ...what, postgres, broker, logger, attemptsMax, retryMs }).stop);
    });

  return {
    app,
    endpoints,
    postgres,
    broker,
    outbox: createOutbox(name, relay.wake),
    cursors: createCursors(derivedKey(config.SERVICE_SIGNING_KEY, 'cursors')),
    idempotency,
    metrics,
    measure,
    sign: createInternalSigner(name, config.SERVICE_SIGNING_KEY),
    verify,
    consume: (definition, handle) => consume({ definition, handle }),
    consumeTogether: (definition, handle) =>
      consume({ definition, handle: (trx, envelope) => handle(trx, [envelope]), handleTogether: handle }),
    listen: async () => {
      endpoints.assertComplete();
      for (const start of consumers) start();
      life.onStop('http', () => app.close());
      const address = await app.listen({ host: config.HOST, port: config.PORT });
      logger.info({ address }, 'listening');
      return address;
    },
  };
};

const dependencies = (postgres: Postgres<ChassisTables>, broker: Broker): HealthCheck[] => [
  { name: 'database', isRequired: true, isUp: () => sql`select 1`.execute(postgres.systemDb).then(() => true) },
  { name: 'broker', isRequired: false, isUp: async () => broker.isConnected() },
];

/** A key for one purpose out of the service's signing key: the same on every replica, and useless for anything else. */
export const derivedKey = (secret: string | Buffer, purpose: string): Buffer =>
  Buffer.from(hkdfSync('sha256', Buffer.isBuffer(secret) ? secret : Buffer.from(secret, 'base64'), '', `settler ${purpose}`, 32));
