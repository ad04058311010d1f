import type { ServiceName } from '@agentlattice/contracts';
import { idsOnlyTracing } from './ids-only-tracing.js';
import { useTracing } from './in-span.js';
import { useGauges } from './observe-seconds.js';

export interface Telemetry {
  /** Sends what is still buffered. */
  shutdown(): Promise<void>;
}

/**
 * Starts OpenTelemetry for the process if OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise the SDK is not
 * loaded, which saves tens of megabytes in each process; a trace still has one id across services.
 */
export async function startTelemetry(
  service: ServiceName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Telemetry> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT']) return { shutdown: () => Promise.resolve() };
  // Traces and metrics are sent there; logs go to stdout.
  env['OTEL_LOGS_EXPORTER'] ??= 'none';
  const [{ NodeSDK }, { recordedTracing }, { recordedGauges }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('./recorded-tracing.js'),
    import('./recorded-gauges.js'),
  ]);
  const sdk = new NodeSDK({ serviceName: `agentlattice-${service}` });
  sdk.start();
  useTracing(recordedTracing);
  useGauges(recordedGauges);
  return {
    shutdown: async () => {
      useTracing(idsOnlyTracing);
      await sdk.shutdown().catch(() => {});
    },
  };
}
