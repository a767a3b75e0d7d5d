/** Spans around messages, for which no instrumentation exists. Where no SDK runs these cost next to nothing. */
import { context, isSpanContextValid, propagation, type SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

const tracer = trace.getTracer('@settler/chassis');

/** Runs `work` in a span whose parent is the sender's, as the message's `traceparent` says. */
export const inSpan = <Result>(
  name: string,
  kind: SpanKind,
  traceparent: string | undefined,
  work: () => Promise<Result>,
): Promise<Result> => {
  const parent = traceparent === undefined ? context.active() : propagation.extract(context.active(), { traceparent });
  return tracer.startActiveSpan(name, { kind }, parent, async (span) => {
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
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return undefined;
  return `00-${span.traceId}-${span.spanId}-${span.traceFlags.toString(16).padStart(2, '0')}`;
};
