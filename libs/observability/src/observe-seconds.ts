/** The reading of a gauge: a value in seconds, and the attributes that identify it. */
export interface Observed {
  readonly seconds: number;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Gauge {
  readonly name: string;
  readonly description: string;
  readonly read: () => readonly Observed[];
}

/** Registers a gauge with its exporter. Returns a function that removes it. */
export type Recorder = (gauge: Gauge) => () => void;

const gauges = new Map<Gauge, () => void>();
const unrecorded = () => {};
let record: Recorder = () => unrecorded;

/** A gauge in seconds that is read when metrics are exported. Returns a function that removes it. */
export function observeSeconds(name: string, description: string, read: Gauge['read']): () => void {
  const gauge = { name, description, read };
  gauges.set(gauge, record(gauge));
  return () => {
    gauges.get(gauge)?.();
    gauges.delete(gauge);
  };
}

/** Sets how gauges are recorded, also for gauges that exist already. */
export function useGauges(way: Recorder): void {
  record = way;
  for (const [gauge, end] of gauges) {
    end();
    gauges.set(gauge, way(gauge));
  }
}
