import { durationMs, secretKey, serviceSettings, wholeNumber } from '@settler/chassis/config';
import { parseNetwork } from '@settler/chassis/network';
import { z } from 'zod';

const upstream = (service: string) =>
  z
    .url({ protocol: /^https?$/, error: `is required: the address of ${service}` })
    .describe(`Where ${service} is; its routes are forwarded there.`);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** The longest window: counters in memory end by timers, which reach 24.8 days. */
export const rateWindowMsMax = 24 * 24 * 3600_000;

/** In small letters, without a path, and without the port where that is the usual one. */
const isOrigin = (text: string): boolean => /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;

export const config = z.object({
  ...serviceSettings,
  IDENTITY_URL: upstream('identity'),
  JOBS_URL: upstream('jobs'),
  EXECUTIONS_URL: upstream('executions'),
  WEBHOOKS_URL: upstream('webhooks'),
  PUBLIC_URL: z.url().optional().describe('Where clients reach this installation; the issuer of access tokens.'),
  API_KEY_SECRET: secretKey('32 bytes in base64').describe('Tells API keys of this installation from junk; identity has the same.'),
  AUTH_GRACE_MS: wholeNumber(0, 24 * 3600_000)
    .default(30_000)
    .describe('How long credentials that were verified go on working while identity cannot be reached; 0 is strict.'),
  REVOCATION_POLL_MS: durationMs(300, 'How often identity is asked what was revoked, and how long it may take to answer.'),
  REVOCATION_FRESH_MS: durationMs(900, 'How long an answer about revocations counts, from when it was asked for.'),
  RATE_LIMIT_DEFAULT: wholeNumber(1, 1_000_000_000)
    .default(1_000)
    .describe('Requests per window of a key or session that has no limit of its own, and of an address without credentials.'),
  RATE_LIMIT_WINDOW_MS: wholeNumber(1_000, rateWindowMsMax)
    .default(900_000)
    .describe('The window of that limit; whole seconds, rounded up.'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis or Valkey, which counts for all replicas together; absent: each replica counts for itself.'),
  TRUSTED_PROXIES: list
    .pipe(
      z.array(
        z.string().transform((text, context) => {
          const network = parseNetwork(text);
          if (network !== undefined) return network;
          context.addIssue({ code: 'custom', message: 'must be a comma list of addresses and CIDR networks' });
          return z.NEVER;
        }),
      ),
    )
    .default([])
    .describe('Proxies whose X-Forwarded-For is believed.'),
  CORS_ORIGINS: list
    .refine((origins) => origins.every(isOrigin), 'must be a comma list of origins as browsers send them, such as https://app.example.com')
    .default([])
    .describe('Origins whose pages may call the API from a browser; none by default.'),
  UPLOADS_PER_ORGANIZATION_MAX: wholeNumber(1, 2_048)
    .default(64)
    .describe(
      'Files, and bodies above 1 MiB or of a length they do not say on routes that take more, of an organization at once; each gateway counts for itself.',
    ),
  UPLOAD_BYTES_PER_SECOND_MIN: wholeNumber(1, 1_073_741_824)
    .default(2_048)
    .describe('How fast such a body has to come in the long run: a fifth of what a phone on a poor link (EDGE) sends.'),
  UPLOAD_STALL_MS: durationMs(30_000, 'How long such a body may stand still; what comes earns that time back at the rate above.'),
  BODY_MEMORY_MB: wholeNumber(8, 65_536)
    .default(128)
    .describe(
      'The memory, in MiB, for bodies up to 1 MiB, which services are given in one piece; an organization or address has an eighth.',
    ),
  BREAKER_OPEN_MS: durationMs(2_000, 'How long a service that failed too often is left alone before one request tries it again.'),
  UNREADY_MS: wholeNumber(0, 600_000)
    .default(1_000)
    .describe('How long a process that was told to stop goes on serving and says that it is not ready, so that load balancers see it.'),
  METRICS_PORT: wholeNumber(0, 65_535)
    .optional()
    .describe('Serves Prometheus metrics at /metrics on a port of their own; absent: nowhere.'),
});
export type Config = z.output<typeof config>;
