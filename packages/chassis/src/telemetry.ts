/**
 * Traces. Imported before anything else by every main.ts, because instrumentation patches modules as they are loaded: what was
 * loaded before stays silent. Without OTLP_ENDPOINT nothing is started and nothing is patched.
 */
const { OTLP_ENDPOINT: endpoint, OTEL_SERVICE_NAME: name } = process.env;

if (endpoint !== undefined && endpoint !== '') {
  // Loaded only here: the SDK would cost every start a fifth of a second.
  const [{ NodeSDK }, { HttpInstrumentation }, { PgInstrumentation }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/instrumentation-http'),
    import('@opentelemetry/instrumentation-pg'),
  ]);
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
  process.once('beforeExit', () => void sdk.shutdown());
}

export {};
