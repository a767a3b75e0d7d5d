/** What webhooks tells Prometheus of the attempts that it makes. */
import type { MetricDefinition } from '@settler/chassis/metrics';

export const deliveryAttempts = {
  name: 'settler_delivery_attempts_total',
  help: 'Attempts at deliveries by what came of them: delivered, retry, failed (the last one), gone (the endpoint said 410).',
  labels: ['result'],
} as const satisfies MetricDefinition;
