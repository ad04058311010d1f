import { type Attributes, metrics } from '@opentelemetry/api';
import type { Recorder } from './observe-seconds.js';

/** Gauges of OpenTelemetry, which its SDK exports. */
export const recordedGauges: Recorder = ({ name, description, read }) => {
  const gauge = metrics.getMeter('agentlattice').createObservableGauge(name, { description, unit: 's' });
  const observe = (result: { observe(value: number, attributes: Attributes): void }) => {
    for (const { seconds, attributes } of read()) result.observe(seconds, attributes);
  };
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
};
