import { NodeSDK } from '@opentelemetry/sdk-node';
import type { ServiceName } from '@agentlattice/contracts';

export interface Telemetry {
  /** Sends what is still buffered. */
  shutdown(): Promise<void>;
}

// Without a collector spans are made for their ids only, so that a trace still hangs together across services.
const idsOnly = {
  sampler: { shouldSample: () => ({ decision: 0 }), toString: () => 'IdsOnly' },
  spanProcessors: [
    {
      onStart: () => {},
      onEnd: () => {},
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
    },
  ],
};

/** Starts OpenTelemetry for the process. Nothing is exported unless OTEL_EXPORTER_OTLP_ENDPOINT is set. */
export function startTelemetry(service: ServiceName, env: NodeJS.ProcessEnv = process.env): Telemetry {
  const exports = Boolean(env['OTEL_EXPORTER_OTLP_ENDPOINT']);
  // The SDK takes an unset exporter for OTLP to localhost.
  env['OTEL_METRICS_EXPORTER'] ??= exports ? 'otlp' : 'none';
  env['OTEL_LOGS_EXPORTER'] ??= 'none';
  const sdk = new NodeSDK({ serviceName: `agentlattice-${service}`, ...(exports ? {} : idsOnly) });
  sdk.start();
  return { shutdown: () => sdk.shutdown().catch(() => {}) };
}
