import { type Attributes, metrics } from '@opentelemetry/api';

export interface Observed {
  readonly seconds: number;
  readonly attributes: Attributes;
}

/** A gauge in seconds that is read whenever metrics are exported. Returns how to end it. */
export function observeSeconds(
  name: string,
  description: string,
  read: () => readonly Observed[],
): () => void {
  const gauge = metrics.getMeter('agentlattice').createObservableGauge(name, { description, unit: 's' });
  const observe = (result: { observe(value: number, attributes: Attributes): void }) => {
    for (const { seconds, attributes } of read()) result.observe(seconds, attributes);
  };
  gauge.addCallback(observe);
  return () => gauge.removeCallback(observe);
}
