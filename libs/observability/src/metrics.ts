import type { CounterName, GaugeName, HistogramName, LabelsOf } from './instruments.js';

/** A reading of a gauge. */
export interface Reading<Name extends GaugeName = GaugeName> {
  readonly value: number;
  readonly labels: LabelsOf<Name>;
}
type Read<Name extends GaugeName = GaugeName> = () =>
  readonly Reading<Name>[] | Promise<readonly Reading<Name>[]>;

export type Labels = Readonly<Record<string, string | number | boolean>>;
export interface Observation {
  readonly name: GaugeName;
  readonly read: () =>
    readonly { value: number; labels: Labels }[] | Promise<readonly { value: number; labels: Labels }[]>;
}

/** Where metrics go. */
export interface Recorder {
  add(name: CounterName, value: number, labels: Labels): void;
  record(name: HistogramName, value: number, labels: Labels): void;
  /** Reads a gauge at each export. Returns a function that ends this. */
  observe(observation: Observation): () => void;
}

let recorder: Recorder | undefined;
const observed = new Map<Observation, (() => void) | undefined>();

/** Whether metrics go anywhere: work that only serves a metric is left out otherwise. */
export const recordsMetrics = (): boolean => recorder !== undefined;

export function count<Name extends CounterName>(name: Name, labels: LabelsOf<Name>, value = 1): void {
  recorder?.add(name, value, labels);
}

export function measure<Name extends HistogramName>(name: Name, value: number, labels: LabelsOf<Name>): void {
  recorder?.record(name, value, labels);
}

/** Seconds since a reading of `performance.now()`. */
export const secondsSince = (startedAt: number): number => (performance.now() - startedAt) / 1_000;

/** A gauge, read when metrics are exported; a failed reading is left out. Returns a function that removes it. */
export function observe<Name extends GaugeName>(name: Name, read: Read<Name>): () => void {
  const observation: Observation = { name, read };
  observed.set(observation, recorder?.observe(observation));
  return () => {
    observed.get(observation)?.();
    observed.delete(observation);
  };
}

/** Sets where metrics go, also those of gauges that exist already; undefined: nowhere. */
export function useRecorder(next: Recorder | undefined): void {
  recorder = next;
  for (const [observation, end] of observed) {
    end?.();
    observed.set(observation, next?.observe(observation));
  }
}
