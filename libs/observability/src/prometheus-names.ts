import type { Instrument } from './instruments.js';

const suffixes: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes' };
export const prometheusLabel = (label: string): string => label.replaceAll(/\W/g, '_');

/**
 * The names of the series that the collector's exporter for Prometheus makes of an instrument: the unit is a suffix, a name in
 * braces is left out, counters end in `_total`, and shares in `_ratio`.
 */
export function prometheusNames(name: string, { kind, unit }: Pick<Instrument, 'kind' | 'unit'>): string[] {
  const base = prometheusLabel(name);
  const suffix = suffixes[unit] ?? (unit === '1' && kind === 'gauge' ? 'ratio' : undefined);
  const withUnit = suffix === undefined || base.endsWith(`_${suffix}`) ? base : `${base}_${suffix}`;
  if (kind === 'counter') return [`${withUnit}_total`];
  if (kind === 'gauge') return [withUnit];
  return ['bucket', 'sum', 'count'].map((part) => `${withUnit}_${part}`);
}
