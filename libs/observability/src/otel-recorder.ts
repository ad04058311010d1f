import {
  type BatchObservableResult,
  type Counter,
  type Histogram,
  metrics,
  type ObservableGauge,
} from '@opentelemetry/api';
import { type InstrumentName, instruments } from './instruments.js';
import type { Recorder } from './metrics.js';

/** Instruments of OpenTelemetry, whose SDK collects and exports them. All are made at once, so that recording only looks them up. */
export function otelRecorder(): Recorder {
  const meter = metrics.getMeter('agentlattice');
  const counters = new Map<InstrumentName, Counter>();
  const histograms = new Map<InstrumentName, Histogram>();
  const gauges = new Map<InstrumentName, ObservableGauge>();
  for (const [key, instrument] of Object.entries(instruments)) {
    const name = key as InstrumentName;
    const { unit, description } = instrument;
    if (instrument.kind === 'counter') counters.set(name, meter.createCounter(name, { unit, description }));
    else if (instrument.kind === 'gauge')
      gauges.set(name, meter.createObservableGauge(name, { unit, description }));
    else
      histograms.set(
        name,
        meter.createHistogram(name, {
          unit,
          description,
          advice: { explicitBucketBoundaries: [...instrument.buckets] },
        }),
      );
  }
  return {
    add: (name, value, labels) => counters.get(name)?.add(value, labels),
    record: (name, value, labels) => histograms.get(name)?.record(value, labels),
    observe: ({ name, read }) => {
      const gauge = gauges.get(name);
      if (gauge === undefined) throw new Error(`the gauge ${name} does not exist`);
      const callback = async (result: BatchObservableResult) => {
        for (const { value, labels } of await read()) result.observe(gauge, value, labels);
      };
      meter.addBatchObservableCallback(callback, [gauge]);
      return () => meter.removeBatchObservableCallback(callback, [gauge]);
    },
  };
}
