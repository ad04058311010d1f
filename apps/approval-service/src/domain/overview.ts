import type { Overview } from '@agentlattice/contracts';

/** The figures of one hour or day; null members where there is nothing to measure. */
export type SeriesRow = Overview['series'][number];
export type PolicyRow = Omit<Overview['policies'][number], 'advice'>;

const empty = {
  asked: 0,
  open: 0,
  approved: 0,
  denied: 0,
  timed_out: 0,
  released: 0,
  cancelled: 0,
  median_seconds: null,
  p95_seconds: null,
  timeout_seconds: null,
} as const satisfies Omit<SeriesRow, 'start'>;

/** One item for each of the hours or days, also for those without a request. */
export function fullSeries(starts: readonly string[], rows: readonly SeriesRow[]): SeriesRow[] {
  const byStart = new Map(rows.map((row) => [Date.parse(row.start), row]));
  return starts.map((start) => byStart.get(Date.parse(start)) ?? { start, ...empty });
}

/** Enough to tell a habit from chance. */
const fewestAsked = 10;
const fewestSeen = 5;
const readInMs = 3_000;

/** Requests that nobody denies and nobody reads train people to approve: a condition should let the usual ones run. */
export const withAdvice = (row: PolicyRow): Overview['policies'][number] => ({
  ...row,
  advice:
    row.asked >= fewestAsked &&
    row.denied === 0 &&
    row.votes_seen >= fewestSeen &&
    row.median_seen_ms !== null &&
    row.median_seen_ms <= readInMs
      ? 'consider_a_condition'
      : null,
});
