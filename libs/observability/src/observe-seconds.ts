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

/** Makes a gauge known to its exporter. Returns how to end it. */
export type Recorder = (gauge: Gauge) => () => void;

const gauges = new Map<Gauge, () => void>();
const unrecorded = () => {};
let record: Recorder = () => unrecorded;

/** A gauge in seconds that is read whenever metrics are exported; never, where they are not. Returns how to end it. */
export function observeSeconds(name: string, description: string, read: Gauge['read']): () => void {
  const gauge = { name, description, read };
  gauges.set(gauge, record(gauge));
  return () => {
    gauges.get(gauge)?.();
    gauges.delete(gauge);
  };
}

/** From now on gauges are recorded this way, those that are there already too. */
export function useGauges(way: Recorder): void {
  record = way;
  for (const [gauge, end] of gauges) {
    end();
    gauges.set(gauge, way(gauge));
  }
}
