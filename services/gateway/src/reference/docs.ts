/** The readable reference. Everything it shows comes from here: its page may load nothing from anywhere else. */
import reference from '@scalar/fastify-api-reference';
import { hidden } from '@settler/chassis/http';
import type { FastifyInstance } from 'fastify';
import type { OpenApi } from './openapi.ts';

// The page carries its script's start and its styles inline.
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self' 'unsafe-inline'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const referenceRoutes = async (app: FastifyInstance, openApi: () => Promise<OpenApi>): Promise<void> => {
  app.get('/openapi.json', hidden, async (request, reply) => {
    const { text, etag } = await openApi();
    reply.headers({ etag, 'cache-control': 'no-cache', 'content-type': 'application/json; charset=utf-8' });
    return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(text);
  });
  await app.register(async (scope) => {
    scope.addHook('onRequest', (_request, reply, done) => {
      reply.raw.setHeader('content-security-policy', pagePolicy);
      done();
    });
    await scope.register(reference, {
      routePrefix: '/docs',
      // The fonts, the proxy and the telemetry of the default are other people's servers.
      configuration: { url: '/openapi.json', pageTitle: 'Settler API', withDefaultFonts: false, telemetry: false, hideClientButton: true },
    });
  });
};
