import { brokerSettings, databaseSettings, durationMs, serviceSettings, wholeNumber } from '@settler/chassis/config';
import { z } from 'zod';

export const config = z.object({
  ...serviceSettings,
  ...databaseSettings,
  ...brokerSettings,
  ROLE: z.enum(['api', 'worker', 'both']).default('both').describe('Whether this process serves requests, runs executions, or both.'),
  JOBS_URL: z.url({ error: 'is required: the address of the jobs service' }).describe('The jobs service, asked for definitions.'),
  IDENTITY_URL: z
    .url({ error: 'is required: the address of the identity service' })
    .describe('The identity service, asked whether those who are given an exception are members.'),
  WORKER_SLOTS: wholeNumber(1, 32).default(1).describe('How many executions this process runs at once.'),
  WORKER_MEMORY_MB: wholeNumber(128, 65_536).default(4_096).describe('The most memory that one matching may take.'),
  LEASE_MS: durationMs(30_000, 'How long a worker that went silent keeps its execution.'),
  LEASE_RENEW_MS: durationMs(5_000, 'How often a worker says that it lives.'),
  // With the lease: a run whose worker is gone is another's after 35 seconds at most.
  SWEEP_MS: durationMs(4_000, 'How often lost doorbells, expired leases and scheduled runs that wait are looked for.'),
  RESULTS_RETENTION_MONTHS: wholeNumber(0, 1_200)
    .default(13)
    .describe('For how many months before this one results are kept; 0 keeps them for ever. Reports stay.'),
});
export type Config = z.output<typeof config>;
