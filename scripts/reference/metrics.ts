import { messaging } from '@settler/chassis/messaging-metrics';
import { type MetricDefinition, requestDuration } from '@settler/chassis/metrics';
import { statefulServices } from '@settler/contracts/services';
import { runs } from '../../services/executions/src/infrastructure/postgres/runs/measures.ts';
import { executionDuration } from '../../services/executions/src/metrics.ts';
import { breakerOpen, revocationsKnown } from '../../services/gateway/src/metrics.ts';
import { auditHeadsAltered, loginsDenied } from '../../services/identity/src/metrics.ts';
import { schedules } from '../../services/jobs/src/infrastructure/postgres/measures.ts';
import { sending } from '../../services/webhooks/src/infrastructure/postgres/measures.ts';
import { deliveryAttempts } from '../../services/webhooks/src/metrics.ts';
import { code, type Page, table } from './markdown.ts';

interface Row {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Whether it is what the database says, so that every replica says the same. */
  readonly isOfDatabase?: boolean;
  readonly metric: MetricDefinition;
}

const ofDatabase = ({ gauges }: { readonly gauges: Readonly<Record<string, MetricDefinition>> }): Row[] =>
  Object.values(gauges).map((metric) => ({ kind: 'gauge', isOfDatabase: true, metric }));

const sections: Readonly<Record<string, readonly Row[]>> = {
  'Every service': [{ kind: 'histogram', metric: requestDuration }],
  [statefulServices.join(', ')]: ofDatabase(messaging),
  'gateway alone': [
    { kind: 'gauge', metric: breakerOpen },
    { kind: 'gauge', metric: revocationsKnown },
  ],
  'identity alone': [
    { kind: 'counter', metric: loginsDenied },
    { kind: 'counter', metric: auditHeadsAltered },
  ],
  'jobs alone': ofDatabase(schedules),
  'executions alone': [...ofDatabase(runs), { kind: 'histogram', metric: executionDuration }],
  'webhooks alone': [...ofDatabase(sending), { kind: 'counter', metric: deliveryAttempts }],
};

export const metricsPage = (): Page => ({
  file: 'metrics.md',
  title: 'Metrics',
  about: 'What each service tells Prometheus of itself, at `/metrics`.',
  source: 'every metrics.ts and measures.ts, and messaging-metrics.ts of the chassis',
  body: [
    'On port 3000 of the services and on 9464 of the gateway (`METRICS_PORT`), whose public port does not have them. Each has the label `service`. Those of Node itself (`process_…`, `nodejs_…`) come besides.',
    'What is *of the database* is read when it is asked for, and every replica says the same: take `max by (service)` of it. What could not be read within two seconds is left out, and the log says why. All else is of the process: take `sum`, of counters and histograms `sum(rate(…))`.',
    ...Object.entries(sections).flatMap(([name, rows]) => [`## ${name}`, metricsTable(rows)]),
  ],
});

const metricsTable = (rows: readonly Row[]): string =>
  table(
    ['metric', 'kind', 'labels', 'meaning'],
    rows.map(({ kind, isOfDatabase, metric: { name, labels, help } }) => [
      code(name),
      isOfDatabase ? `${kind}, of the database` : kind,
      labels.map(code).join(', '),
      help,
    ]),
  );
