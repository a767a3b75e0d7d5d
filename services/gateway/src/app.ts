/** The only file that knows everything: who may pass, where requests go, and what is said about the routes, wired by hand. */
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { serveHealth } from '@settler/chassis/health';
import { createHttp } from '@settler/chassis/http';
import { createInternalSigner } from '@settler/chassis/internal-token';
import type { Life } from '@settler/chassis/lifecycle';
import { createMetrics, measureRequests, serveMetrics } from '@settler/chassis/metrics';
import { accessTokenAudience, accessTokenIssuerDefault } from '@settler/contracts/internal/access-token';
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { createAdmission } from './admission.ts';
import { createAccessTokens } from './authentication/access-tokens.ts';
import { createApiKeys } from './authentication/api-keys.ts';
import { createAuthenticate } from './authentication/authenticate.ts';
import { createIdentityClient } from './authentication/identity-client.ts';
import { createKeySet } from './authentication/key-set.ts';
import { createPrincipalTokens } from './authentication/principal-tokens.ts';
import { startRevocations } from './authentication/revocations.ts';
import { createClientAddress } from './client-address.ts';
import type { Config } from './config.ts';
import { createForward } from './forwarding/forward.ts';
import { createOpenStreams } from './forwarding/open-streams.ts';
import { createUpstreams } from './forwarding/upstreams.ts';
import { createRateLimits } from './limits/rate-limits.ts';
import { createRedis } from './limits/redis.ts';
import { referenceRoutes } from './reference/docs.ts';
import { createOpenApi } from './reference/openapi.ts';
import { apiRoutes } from './routes/api.ts';

const askTimeoutMs = 2_000;
const exposedHeaders = ['etag', 'idempotent-replayed', 'location', 'ratelimit', 'ratelimit-policy', 'retry-after', 'x-request-id'];
const askedHeaders = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'x-api-key',
  'x-request-id',
];

export const start = async (config: Config, life: Life): Promise<string> => {
  const { logger } = life;
  const metrics = createMetrics('gateway');
  const urls: Record<StatefulService, string> = {
    identity: config.IDENTITY_URL,
    jobs: config.JOBS_URL,
    executions: config.EXECUTIONS_URL,
    webhooks: config.WEBHOOKS_URL,
  };
  const upstreams = createUpstreams({ urls, breakerOpenMs: config.BREAKER_OPEN_MS, logger, metrics });
  life.onStop('upstreams', upstreams.close);

  const sign = createInternalSigner('gateway', config.SERVICE_SIGNING_KEY);
  const identity = createIdentityClient(config.IDENTITY_URL, sign);
  life.onStop('identity', identity.close);
  const apiKeys = createApiKeys(identity, config.API_KEY_SECRET);
  const streams = createOpenStreams();
  const revocations = startRevocations({
    identity,
    logger,
    pollMs: config.REVOCATION_POLL_MS,
    freshMs: config.REVOCATION_FRESH_MS,
    onRevoked: (revoked) => {
      if (revoked === undefined || revoked.kind === 'apiKey') apiKeys.forget(revoked?.id);
      streams.endFor(revoked?.id);
    },
  });
  life.onStop('revocations', revocations.stop);

  const redis = config.REDIS_URL === undefined ? undefined : createRedis(config.REDIS_URL, logger);
  life.onStop('redis', () => redis?.disconnect());
  const admit = createAdmission({
    clientAddress: createClientAddress(config.TRUSTED_PROXIES),
    rateLimits: createRateLimits(config.RATE_LIMIT_DEFAULT, config.RATE_LIMIT_WINDOW_MS, redis),
    authenticate: createAuthenticate({
      identity,
      revocations,
      apiKeys,
      verifyAccessToken: createAccessTokens({
        keySet: createKeySet(identity),
        issuer: config.PUBLIC_URL ?? accessTokenIssuerDefault,
        audience: accessTokenAudience,
      }),
      freshMs: config.REVOCATION_FRESH_MS,
      graceMs: config.AUTH_GRACE_MS,
      askAgainTimeoutMs: config.REVOCATION_POLL_MS,
    }),
  });
  const forward = createForward({ upstreams, tokenFor: createPrincipalTokens(sign), streams });

  const ask = async (service: StatefulService, path: string) => {
    const { statusCode, body } = await upstreams
      .to(service)
      .pool.request({ method: 'GET', path, signal: AbortSignal.timeout(askTimeoutMs) });
    if (statusCode === 200) return body.json();
    await body.dump();
    throw new Error(`${service} answered ${statusCode} to ${path}`);
  };

  const app = await createHttp({ service: 'gateway', logger });
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    crossOriginResourcePolicy: { policy: 'same-origin' },
  });
  if (config.CORS_ORIGINS.length > 0) {
    await app.register(cors, {
      origin: config.CORS_ORIGINS,
      methods: ['GET', 'POST', 'PATCH', 'DELETE'],
      allowedHeaders: askedHeaders,
      exposedHeaders,
      maxAge: 600,
    });
  }
  measureRequests(app, metrics);
  // Requests to a service that is well are served while another is not, so none of them decides whether the gateway is ready.
  serveHealth(
    app,
    statefulServices.map((name) => ({ name, isRequired: false, isUp: () => ask(name, '/health/live').then(() => true) })),
    life.isStopping,
  );
  await referenceRoutes(app, createOpenApi({ services: statefulServices, read: (service) => ask(service, '/openapi.json'), version: '1' }));
  await apiRoutes(app, admit, forward);

  if (config.METRICS_PORT !== undefined) {
    const metricsApp = await createHttp({ service: 'gateway', logger });
    serveMetrics(metricsApp, metrics);
    life.onStop('metrics', () => metricsApp.close());
    await metricsApp.listen({ host: config.HOST, port: config.METRICS_PORT });
  }
  life.onStop('http', () => app.close());
  life.onStop('streams', () => streams.endFor());
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ address }, 'listening');
  return address;
};
