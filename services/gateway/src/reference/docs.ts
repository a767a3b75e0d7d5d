/** The readable reference. Everything it shows comes from here: its page may load nothing from anywhere else. */
import { isUnmodified } from '@settler/chassis/entity-tag';
import { hidden } from '@settler/chassis/http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { SafeHeaders } from '../browsers.ts';
import { type Asset, assetOf } from './asset.ts';

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

export const referenceRoutes = async (app: FastifyInstance, openApi: () => Promise<Asset>, safe: SafeHeaders): Promise<void> => {
  const pageHeaders = { ...safe, 'content-security-policy': pagePolicy, 'cross-origin-opener-policy': 'same-origin' };
  app.get('/openapi.json', hidden, async (request, reply) => sendAsset(request, reply, await openApi()));
  app.get('/docs', hidden, (_request, reply) => reply.redirect('/docs/', 301));
  let page: Promise<ReadonlyMap<string, Asset>> | undefined;
  for (const url of pagePaths) {
    app.get(url, { ...hidden, onSend: async (_request, reply) => void reply.headers(pageHeaders) }, async (request, reply) => {
      page ??= createPage();
      return sendAsset(request, reply, (await page).get(url) as Asset);
    });
  }
};

/** As bytes that were made once: whoever asks, however often, costs no more than sending them. */
const sendAsset = (request: FastifyRequest, reply: FastifyReply, { body, contentType, etag }: Asset): FastifyReply => {
  reply.headers({ etag, 'cache-control': 'no-cache' });
  return isUnmodified(request, etag) ? reply.code(304).send() : reply.type(contentType).send(body);
};

const pagePaths = ['/docs/', '/docs/js/scalar.js'] as const;

/** Made when somebody reads it: megabytes of script, which most processes never serve, took a quarter of the start. */
const createPage = async (): Promise<ReadonlyMap<string, Asset>> => {
  const [{ default: fastify }, { default: reference }] = await Promise.all([import('fastify'), import('@scalar/fastify-api-reference')]);
  const page = fastify();
  await page.register(reference, {
    routePrefix: '/docs',
    // The fonts, the proxy and the telemetry of the default are other people's servers.
    configuration: { url: '/openapi.json', pageTitle: 'Settler API', withDefaultFonts: false, telemetry: false, hideClientButton: true },
  });
  const assets = new Map<string, Asset>();
  // It would make its five megabytes of text into bytes for every answer, which is why it never answers anybody but us.
  for (const path of pagePaths) {
    const { rawPayload, headers } = await page.inject(path);
    assets.set(path, assetOf(rawPayload, String(headers['content-type'])));
  }
  await page.close();
  return assets;
};
