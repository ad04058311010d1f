import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '@agentlattice/contracts';
import { idsOnlyTracing } from './ids-only-tracing.js';
import { useTracing } from './in-span.js';
import { useRecorder } from './metrics.js';

export interface Telemetry {
  /** Sends what is still buffered, if the collector takes it within two seconds. */
  shutdown(): Promise<void>;
}

/** Our defaults for OpenTelemetry; the environment may set each of them otherwise. */
const defaults: Readonly<Record<string, string>> = {
  // Logs go to stdout.
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_METRIC_EXPORT_INTERVAL: '15000',
  OTEL_METRIC_EXPORT_TIMEOUT: '10000',
  // Counts the spans that were dropped because the collector was away.
  OTEL_NODE_EXPERIMENTAL_SDK_METRICS: 'true',
};
/** The SDK tries for longer than a service has to stop. */
const flushWithinMs = 2_000;

/** Of the traces that begin here: each costs time in every service. */
const defaultShare = 0.05;

/**
 * Starts OpenTelemetry for the process if OTEL_EXPORTER_OTLP_ENDPOINT is set. Otherwise the SDK is not
 * loaded, which saves tens of megabytes in each process; a trace still has one id across services.
 */
export async function startTelemetry(
  service: ServiceName,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Telemetry> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT']) return { shutdown: () => Promise.resolve() };
  const share = env['OTEL_TRACES_SAMPLER'] ? null : Number(env['OTEL_TRACES_SAMPLER_ARG'] || defaultShare);
  const unset = { ...defaults, ...(share !== null && { OTEL_TRACES_SAMPLER: 'parentbased_always_on' }) };
  for (const [name, value] of Object.entries(unset)) env[name] ||= value;
  const [{ NodeSDK }, { recordedTracing }, { otelRecorder }, { observeRuntime }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('./recorded-tracing.js'),
    import('./otel-recorder.js'),
    import('./observe-runtime.js'),
  ]);
  const sdk = new NodeSDK({ serviceName: `agentlattice-${service}` });
  sdk.start();
  useTracing(recordedTracing(share));
  useRecorder(otelRecorder());
  const endRuntime = observeRuntime();
  return {
    shutdown: async () => {
      useTracing(idsOnlyTracing);
      await within(
        flushWithinMs,
        sdk.shutdown().catch(() => {}),
      );
      endRuntime();
      useRecorder(undefined);
    },
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = sleep(ms, undefined, { signal: over.signal }).catch(() => {});
  await Promise.race([work, late]);
  over.abort();
}
