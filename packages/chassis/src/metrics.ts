/** Prometheus metrics of one process, served on its own port and never through the gateway. */
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Declared by itself, so that the reference can tell of it: what no page names, nobody watches. */
export interface MetricDefinition<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly Label[];
}

export interface HistogramDefinition<Label extends string = string> extends MetricDefinition<Label> {
  readonly buckets: readonly number[];
}

export interface Metrics {
  readonly registry: Registry;
  readonly counter: <Label extends string>(definition: MetricDefinition<Label>) => Counter<Label>;
  /** `collect` is called before it is read, to set it. */
  readonly gauge: <Label extends string>(
    definition: MetricDefinition<Label>,
    collect?: (gauge: Gauge<Label>) => Promise<void>,
  ) => Gauge<Label>;
  /** `collect` is called before it is read, to observe what it was not told yet. */
  readonly histogram: <Label extends string>(definition: HistogramDefinition<Label>, collect?: () => void) => Histogram<Label>;
}

export const createMetrics = (service: string): Metrics => {
  // A registry of its own: several services may run in one process under test.
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  // The default of 10 ms would wake an idle process a hundred times a second.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
  return {
    registry,
    counter: ({ name, help, labels }) => new Counter({ name, help, labelNames: [...labels], registers: [registry] }),
    gauge: <Label extends string>(
      definition: MetricDefinition<Label>,
      collect: (gauge: Gauge<Label>) => Promise<void> = async () => {},
    ) => {
      const { name, help, labels } = definition;
      const gauge: Gauge<Label> = new Gauge({ name, help, labelNames: [...labels], registers: [registry], collect: () => collect(gauge) });
      return gauge;
    },
    histogram: ({ name, help, labels, buckets }, collect = () => {}) =>
      new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], registers: [registry], collect }),
  };
};

export const requestDuration = {
  name: 'settler_http_request_duration_seconds',
  help: 'Time from the first byte of a request to the last of its answer.',
  labels: ['method', 'route', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
} as const satisfies HistogramDefinition;

/** Counts and times requests by route pattern, never by concrete path: ids would make a series each. */
export const measureRequests = ({ pastRequests }: FastifyInstance, metrics: Metrics): void => {
  const duration = metrics.histogram(requestDuration, pastRequests.tell);
  pastRequests.follow((requests) => {
    for (const { method, route, status, ms } of requests) duration.observe({ method, route, status: String(status) }, ms / 1000);
  });
};

export const serveMetrics = (app: FastifyInstance, metrics: Metrics): void => {
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return reply.serializer((text) => String(text)).send(await metrics.registry.metrics());
  });
};
