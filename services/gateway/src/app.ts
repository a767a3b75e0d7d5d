/** The only file that knows everything: who may pass, where requests go, and what is said about the routes, wired by hand. */
import { setTimeout as delay } from 'node:timers/promises';
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
import { safeHeaders, tellBrowsers } from './browsers.ts';
import { createClientAddress } from './client-address.ts';
import type { Config } from './config.ts';
import { answerBeforeBody } from './forwarding/answer-before-body.ts';
import { createBodyMemory } from './forwarding/body-memory.ts';
import { createForward } from './forwarding/forward.ts';
import { createOpenStreams } from './forwarding/open-streams.ts';
import { createUpstreams } from './forwarding/upstreams.ts';
import { createRateLimits } from './limits/rate-limits.ts';
import { revocationsKnown } from './metrics.ts';
import { referenceRoutes } from './reference/docs.ts';
import { createOpenApi } from './reference/openapi.ts';
import { apiRoutes } from './routes/api.ts';
import { closeSilent } from './silent-connections.ts';

/** A connection on which nothing moves for this long is closed: longer than any route is silent, and than its deadline. */
const silentMs = 120_000;

/** A service makes its description when it is first asked, on a machine that may be busy with starting the others. */
const describingMsMax = 10_000;

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
  const streams = createOpenStreams(config.UPLOADS_PER_ORGANIZATION_MAX);
  const keySet = createKeySet(identity);
  const known = metrics.gauge(revocationsKnown);
  const revocations = startRevocations({
    identity,
    logger,
    pollMs: config.REVOCATION_POLL_MS,
    freshMs: config.REVOCATION_FRESH_MS,
    graceMs: config.AUTH_GRACE_MS,
    onKnown: () => known.setToCurrentTime(),
    onLost: () => streams.endFor(),
    onRevoked: (revoked) => {
      if (revoked === undefined || revoked.kind === 'apiKey') apiKeys.forget(revoked?.id);
      if (revoked === undefined || revoked.kind === 'signingKey') keySet.forget();
      if (revoked?.kind === 'signingKey') logger.warn({ keyId: revoked.id }, 'a signing key was withdrawn: what it has signed is refused');
      if (revoked?.endsAt !== null) streams.endFor(revoked?.id, Date.parse(revoked?.endsAt ?? '') || 0);
    },
  });
  life.onStop('revocations', revocations.stop);

  // Its client is loaded only where there is one to connect to.
  const { REDIS_URL: redisUrl } = config;
  const shared = redisUrl === undefined ? undefined : (await import('./limits/redis.ts')).createSharedCounts(redisUrl, logger);
  life.onStop('redis', () => shared?.redis.disconnect());
  const admit = createAdmission({
    clientAddress: createClientAddress(config.TRUSTED_PROXIES),
    streams,
    rateLimits: createRateLimits(config.RATE_LIMIT_DEFAULT, config.RATE_LIMIT_WINDOW_MS, shared),
    authenticate: createAuthenticate({
      identity,
      revocations,
      apiKeys,
      verifyAccessToken: createAccessTokens({
        keySet: keySet.find,
        issuer: config.PUBLIC_URL ?? accessTokenIssuerDefault,
        audience: accessTokenAudience,
      }),
      freshMs: config.REVOCATION_FRESH_MS,
      graceMs: config.AUTH_GRACE_MS,
      askAgainTimeoutMs: config.REVOCATION_POLL_MS,
    }),
  });
  const safe = await safeHeaders();
  const forward = createForward({
    upstreams,
    tokenFor: createPrincipalTokens(sign),
    bodyMemory: createBodyMemory(config.BODY_MEMORY_MB * 1024 * 1024),
    pace: { bytesPerSecondMin: config.UPLOAD_BYTES_PER_SECOND_MIN, stallMs: config.UPLOAD_STALL_MS },
    safeHeaders: safe,
  });

  const app = await createHttp({ service: 'gateway', logger, isStopping: life.isStopping, headers: safe });
  closeSilent(app, silentMs);
  answerBeforeBody(app);
  await tellBrowsers(app, config.CORS_ORIGINS);
  measureRequests(app, metrics);
  // Requests to a service that is well are served while another is not, so none of them decides whether the gateway is ready. That identity
  // has answered once does: a gateway that it does not believe, or never found, could let nobody in.
  serveHealth(
    app,
    [
      { name: 'revocations', isRequired: true, isUp: async () => revocations.isFollowed() },
      ...statefulServices.map((name) => ({ name, isRequired: false, isUp: () => upstreams.ask(name, '/health/live').then(() => true) })),
    ],
    life.isStopping,
  );
  const openApi = createOpenApi({
    services: statefulServices,
    read: (service) => upstreams.ask(service, '/openapi.json', describingMsMax),
    version: '1',
  });
  await referenceRoutes(app, openApi, safe);
  await apiRoutes(app, admit, forward);

  if (config.METRICS_PORT !== undefined) {
    const metricsApp = await createHttp({ service: 'gateway', logger });
    serveMetrics(metricsApp, metrics);
    life.onStop('metrics', () => metricsApp.close());
    await metricsApp.listen({ host: config.HOST, port: config.METRICS_PORT });
  }
  life.onStop('http', () => app.close());
  life.onStop('streams', streams.close);
  // Balancers that look every so often would go on sending requests to a port that is closed.
  life.onStop('unready', () => delay(config.UNREADY_MS));
  const address = await app.listen({ host: config.HOST, port: config.PORT });
  logger.info({ address }, 'listening');
  return address;
};
