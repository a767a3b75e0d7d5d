/**
 * Traces. Imported before anything else by every main.ts, because instrumentation patches modules when they are first required: what
 * was loaded before stays silent. All of it is synchronous for the same reason: while a module awaits, those imported after it are
 * evaluated already. Without OTLP_ENDPOINT nothing is started and nothing is patched.
 */
import { createRequire } from 'node:module';
import { isTraced } from './tracing.ts';

const { OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: name } = process.env;

if (isTraced) {
  // Loaded only here: the SDK would cost every start a fifth of a second.
  const require = createRequire(import.meta.url);
  const { NodeSDK } = require('@opentelemetry/sdk-node') as typeof import('@opentelemetry/sdk-node');
  const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http') as typeof import('@opentelemetry/instrumentation-http');
  const { PgInstrumentation } = require('@opentelemetry/instrumentation-pg') as typeof import('@opentelemetry/instrumentation-pg');
  // The SDK and its exporter take their settings from the variables that OpenTelemetry defines.
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ??= endpoint;
  process.env['OTEL_TRACES_EXPORTER'] ??= 'otlp';
  process.env['OTEL_METRICS_EXPORTER'] ??= 'none';
  process.env['OTEL_LOGS_EXPORTER'] ??= 'none';
  const sdk = new NodeSDK({
    serviceName: name ?? `settler-${process.argv[1]?.match(/services[\\/](\w+)[\\/]/)?.[1] ?? 'service'}`,
    instrumentations: [
      new HttpInstrumentation({ ignoreIncomingRequestHook: ({ url = '' }) => url.startsWith('/health') || url === '/metrics' }),
      // Statements are spans; their parameters are the customer's data and stay out.
      new PgInstrumentation({ enhancedDatabaseReporting: false }),
    ],
  });
  sdk.start();
  // Only what is required is patched, and our own modules import; they get the same objects.
  require('node:http');
  require('pg');
  process.once('beforeExit', () => void sdk.shutdown());
}
