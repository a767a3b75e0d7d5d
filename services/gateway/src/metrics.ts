/** What the gateway tells Prometheus of itself. */
import type { MetricDefinition } from '@settler/chassis/metrics';

export const breakerOpen = {
  name: 'settler_breaker_open',
  help: 'Whether a service is left alone: 1 open, 0.5 trying, 0 closed.',
  labels: ['upstream'],
} as const satisfies MetricDefinition;

export const revocationsKnown = {
  name: 'settler_revocations_known_timestamp_seconds',
  help: 'When it was last known what was revoked.',
  labels: [],
} as const satisfies MetricDefinition;
