/** What identity tells Prometheus of itself. */
import type { MetricDefinition } from '@settler/chassis/metrics';

export const loginsDenied = {
  name: 'settler_logins_denied_total',
  help: 'Logins with an unknown user or a wrong password.',
  labels: [],
} as const satisfies MetricDefinition;

export const auditHeadsAltered = {
  name: 'settler_audit_heads_altered_total',
  help: 'Audit trails whose head was found altered: they stay invalid.',
  labels: [],
} as const satisfies MetricDefinition;
