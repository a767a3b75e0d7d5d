/** What browsers are told: that answers are data and nothing else, and whose pages may ask for them. */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

const exposedHeaders = [
  'content-disposition',
  'etag',
  'idempotent-replayed',
  'location',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'x-request-id',
];
const askedHeaders = [
  'authorization',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'traceparent',
  'x-api-key',
  'x-request-id',
];

/** What every answer says of itself, by name. */
export type SafeHeaders = Readonly<Record<string, string>>;

export const tellBrowsers = async (app: FastifyInstance, origins: readonly string[]): Promise<void> => {
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'POST', 'PATCH', 'DELETE'],
    allowedHeaders: askedHeaders,
    exposedHeaders,
    maxAge: 600,
    // A preflight that is none is answered like one that is not allowed: without the headers that would allow it.
    strictPreflight: false,
  });
};

/** The same on every answer, so helmet is asked once: its own plugin decides anew for every request, which costs more than the proxying. */
export const safeHeaders = async (): Promise<SafeHeaders> => {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const decide = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // What these speak of is pages, and answers are none.
    crossOriginOpenerPolicy: false,
    originAgentCluster: false,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  await new Promise<void>((resolve, reject) => decide(request, response, (error) => (error === undefined ? resolve() : reject(error))));
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]));
};
