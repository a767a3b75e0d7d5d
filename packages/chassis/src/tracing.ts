/** Spans around messages, for which no instrumentation exists. Where nothing is traced, not even the API of OpenTelemetry is loaded. */
import { createRequire } from 'node:module';

export const isTraced = (process.env['OTLP_ENDPOINT'] ?? '') !== '';

// A twelfth of what a service loads.
const api = isTraced ? (createRequire(import.meta.url)('@opentelemetry/api') as typeof import('@opentelemetry/api')) : undefined;

/** Runs `work` in a span whose parent is the sender's, as the message's `traceparent` says. */
export const inSpan = <Result>(
  name: string,
  kind: 'producer' | 'consumer',
  traceparent: string | undefined,
  work: () => Promise<Result>,
): Promise<Result> => {
  if (api === undefined) return work();
  const { context, propagation, SpanKind, SpanStatusCode, trace } = api;
  const parent = traceparent === undefined ? context.active() : propagation.extract(context.active(), { traceparent });
  const options = { kind: kind === 'producer' ? SpanKind.PRODUCER : SpanKind.CONSUMER };
  return trace.getTracer('@settler/chassis').startActiveSpan(name, options, parent, async (span) => {
    try {
      return await work();
    } catch (error) {
      span.setStatus({ code: SpanStatusCode.ERROR });
      throw error;
    } finally {
      span.end();
    }
  });
};

/** The span that is open now, in the form that headers carry; undefined where nothing is traced. */
export const activeTraceparent = (): string | undefined => {
  const span = api?.trace.getActiveSpan()?.spanContext();
  if (api === undefined || span === undefined || !api.isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
};
