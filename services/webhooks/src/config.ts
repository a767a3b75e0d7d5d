import { brokerSettings, databaseSettings, durationMs, encryptionKeys, serviceSettings, wholeNumber } from '@settler/chassis/config';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { defaultScheduleMs } from './domain/retry.ts';

const list = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

export const config = z.object({
  ...serviceSettings,
  ...databaseSettings,
  ...brokerSettings,
  ENCRYPTION_KEY: encryptionKeys.describe('Encrypts the secrets of endpoints; the first key encrypts, all of them decrypt.'),
  ADDRESS_GUARD_ALLOW: z
    .string()
    .default('')
    .transform(list)
    .refine((ranges) => ranges.every((range) => ipaddr.isValidCIDR(range)), 'must be a comma list of CIDRs such as 10.0.0.0/8')
    .describe('Address ranges that endpoints may be in although they are not public, as a comma list of CIDRs.'),
  OWN_PORTS: z
    .string()
    .default('')
    .transform((text) => list(text).map(Number))
    .refine((ports) => ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65_535), 'must be a comma list of ports')
    .describe('Ports that Settler itself listens on, never an endpoint.'),
  DELIVERY_TIMEOUT_MS: durationMs(15_000, 'From the look-up of the name to the last byte of the answer.'),
  DELIVERY_CLAIM_MARGIN_MS: durationMs(
    15_000,
    'How much longer than its timeout a claim on a delivery lasts, so that no two processes send the same one.',
  ),
  DELIVERY_CONCURRENCY: wholeNumber(1, 1_000)
    .default(100)
    .describe('How many deliveries this process attempts at once; one organization alone has half of them.'),
  DELIVERY_PER_ENDPOINT: wholeNumber(1, 100).default(4).describe('How many of them may go to one endpoint.'),
  DELIVERY_POLL_MS: durationMs(500, 'How often due deliveries are looked for when nothing wakes the engine.'),
  RETRY_SCHEDULE_MS: z
    .string()
    .default(defaultScheduleMs.join(','))
    .transform((text) => list(text).map(Number))
    .refine(
      (delays) => delays.length > 0 && delays.length <= 50 && delays.every((delay) => Number.isInteger(delay) && delay >= 0),
      'must be a comma list of 1 to 50 whole numbers of milliseconds',
    )
    .describe('The delay before each attempt, as a comma list.'),
  DELIVERIES_RETENTION_DAYS: wholeNumber(0, 3_650)
    .default(30)
    .describe('For how many days after the last attempt a delivery is kept that is delivered or failed; 0 keeps them for ever.'),
});
export type Config = z.output<typeof config>;
