export const ranges = { '24h': '24 hours', '14d': '14 days', '90d': '90 days' } as const;
export type OverviewRange = keyof typeof ranges;

export interface OverviewSearch {
  /** Missing: 14 days. */
  readonly range?: OverviewRange;
}

export function readOverviewSearch({ range }: Readonly<Record<string, unknown>>): OverviewSearch {
  return range === '24h' || range === '90d' ? { range } : {};
}
