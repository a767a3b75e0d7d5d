/** What the workers tell Prometheus of the runs that they end. */
import type { HistogramDefinition } from '@settler/chassis/metrics';

export const executionDuration = {
  name: 'settler_execution_duration_seconds',
  help: 'Time from when a run was taken up until it ended; one that its last worker has lost counts from when it was taken up first.',
  labels: ['status'],
  buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600],
} as const satisfies HistogramDefinition;
