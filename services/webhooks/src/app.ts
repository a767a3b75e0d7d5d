/** The only file that knows everything: adapters, use cases, routes and consumers, wired by hand. */
import { createHmac, randomBytes } from 'node:crypto';
import { acknowledgeErasure } from '@settler/chassis/erasure';
import { newId } from '@settler/chassis/ids';
import type { Life } from '@settler/chassis/lifecycle';
import { createSecretBox, placeOf } from '@settler/chassis/secret-box';
import { createService } from '@settler/chassis/service';
import { consumers } from '@settler/contracts/streams';
import { startDeliveries } from './application/deliver.ts';
import type { Config } from './config.ts';
import { createAddressGuard } from './infrastructure/http/address-guard.ts';
import { createResolveName, systemNames } from './infrastructure/http/resolve-name.ts';
import { createSend } from './infrastructure/http/send.ts';
import { createClaims } from './infrastructure/postgres/claims.ts';
import { startDeliveryRetention } from './infrastructure/postgres/delivery-retention.ts';
import { createEndpointStore, type SealHeaders, sealPlainHeaders } from './infrastructure/postgres/endpoint-store.ts';
import { fanOut } from './infrastructure/postgres/fan-out.ts';
import { requireKnownKey } from './infrastructure/postgres/known-key.ts';
import { sending } from './infrastructure/postgres/measures.ts';
import type { Database } from './infrastructure/postgres/tables.ts';
import { createWebhookQueries } from './infrastructure/postgres/webhook-queries.ts';
import { deliveryAttempts } from './metrics.ts';
import { deliveryRoutes } from './routes/deliveries.ts';
import { webhookRoutes } from './routes/webhooks.ts';

const secretBytes = 24;

export const start = async (config: Config, life: Life): Promise<string> => {
  const service = await createService<Database>('webhooks', config, life);
  const { endpoint } = service.endpoints;
  const guard = createAddressGuard({
    allow: config.ADDRESS_GUARD_ALLOW,
    ownPorts: config.OWN_PORTS,
    lookup: createResolveName(systemNames()),
  });
  const box = createSecretBox(config.ENCRYPTION_KEY);
  const secretPlace = (organizationId: string, id: string) => placeOf(organizationId, 'endpoints', 'secret', id);
  const headersPlace = (organizationId: string, id: string) => placeOf(organizationId, 'endpoints', 'sealed_headers', id);
  const sealHeaders: SealHeaders = (organizationId, id, headers) => box.seal(JSON.stringify(headers), headersPlace(organizationId, id));
  const openSecret = (organizationId: string, id: string, sealed: string) => box.open(sealed, secretPlace(organizationId, id));
  await requireKnownKey(service.postgres, openSecret);
  await sealPlainHeaders(service.postgres, sealHeaders);
  const queries = createWebhookQueries(service.postgres, service.cursors);

  const claims = createClaims(service.postgres, service.outbox, {
    leaseMs: config.DELIVERY_TIMEOUT_MS + config.DELIVERY_CLAIM_MARGIN_MS,
    perEndpoint: config.DELIVERY_PER_ENDPOINT,
  });
  const attempts = service.metrics.counter(deliveryAttempts);
  service.measure(sending);

  const deliveries = startDeliveries({
    claims: {
      ...claims,
      finish: async (claimed, attempted, verdict) => {
        const isRecorded = await claims.finish(claimed, attempted, verdict);
        if (isRecorded) attempts.inc({ result: verdict.kind });
        return isRecorded;
      },
    },
    send: createSend(guard, config.DELIVERY_TIMEOUT_MS),
    openSecret: ({ organizationId, endpointId, sealedSecret }) => secretKey(openSecret(organizationId, endpointId, sealedSecret)),
    openHeaders: ({ organizationId, endpointId, headers, sealedHeaders }) => ({
      ...(sealedHeaders === null ? {} : JSON.parse(box.open(sealedHeaders, headersPlace(organizationId, endpointId)))),
      ...headers,
    }),
    hmac: (key, text) => createHmac('sha256', key).update(text).digest('base64'),
    clock: () => new Date(),
    chance: Math.random,
    scheduleMs: config.RETRY_SCHEDULE_MS,
    concurrency: config.DELIVERY_CONCURRENCY,
    pollMs: config.DELIVERY_POLL_MS,
    // The rest is for what else a stop has to do.
    drainMs: config.DRAIN_TIMEOUT_MS / 2,
    logger: life.logger,
  });
  life.onStop('deliveries', deliveries.stop);
  if (config.DELIVERIES_RETENTION_DAYS > 0)
    life.onStop('retention of deliveries', startDeliveryRetention(service.postgres, config.DELIVERIES_RETENTION_DAYS, life.logger).stop);

  webhookRoutes(endpoint, {
    store: createEndpointStore(service.postgres, service.outbox, { wake: deliveries.wake, sealHeaders }),
    queries,
    refusalOf: guard.refusalOf,
    newId: () => newId('webhook'),
    newSecret: (organizationId, id) => {
      const shown = `whsec_${randomBytes(secretBytes).toString('base64')}`;
      return { shown, sealed: box.seal(shown, secretPlace(organizationId, id)) };
    },
  });
  deliveryRoutes(endpoint, queries, service.cursors);
  for (const consumer of [consumers.fanOutIdentity, consumers.fanOutJobs, consumers.fanOutExecutions])
    service.consume(consumer, fanOut(deliveries.wake));
  service.consume(consumers.erasuresInWebhooks, acknowledgeErasure('webhooks', service.outbox));
  return service.listen();
};

/** The bytes behind `whsec_…` (Standard Webhooks 1.0). */
const secretKey = (secret: string): Uint8Array => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
