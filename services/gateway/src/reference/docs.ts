/** The readable reference. Everything it shows comes from here: its page may load nothing from anywhere else. */
import { hidden } from '@settler/chassis/http';
import type { FastifyInstance } from 'fastify';
import type { SafeHeaders } from '../browsers.ts';
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

export const referenceRoutes = async (app: FastifyInstance, openApi: () => Promise<OpenApi>, safe: SafeHeaders): Promise<void> => {
  const pageHeaders = { ...safe, 'content-security-policy': pagePolicy, 'cross-origin-opener-policy': 'same-origin' };
  app.get('/openapi.json', hidden, async (request, reply) => {
    const { text, etag } = await openApi();
    reply.headers({ etag, 'cache-control': 'no-cache', 'content-type': 'application/json; charset=utf-8' });
    return request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(text);
  });
  let page: Promise<FastifyInstance> | undefined;
  for (const url of ['/docs', '/docs/*']) {
    app.get(url, hidden, async (request, reply) => {
      page ??= createPage();
      const { routing } = await page;
      reply.hijack();
      for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...pageHeaders }))
        if (value !== undefined) reply.raw.setHeader(name, value);
      routing(request.raw, reply.raw);
    });
  }
};

/** Made when somebody reads it: megabytes of script, which most processes never serve, took a quarter of the start. */
const createPage = async (): Promise<FastifyInstance> => {
  const [{ default: fastify }, { default: reference }] = await Promise.all([import('fastify'), import('@scalar/fastify-api-reference')]);
  const page = fastify();
  await page.register(reference, {
    routePrefix: '/docs',
    // The fonts, the proxy and the telemetry of the default are other people's servers.
    configuration: { url: '/openapi.json', pageTitle: 'Settler API', withDefaultFonts: false, telemetry: false, hideClientButton: true },
  });
  await page.ready();
  return page;
};
