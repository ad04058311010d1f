import { count, measure, recordsMetrics, recordSpan, secondsSince } from '@agentlattice/observability';
import type { EntryRow } from '../domain/draft.js';

/** Metrics of a commit that is on disk, and a span for each of its submissions. @param startedAt monotonic */
export function recordCommit(rows: readonly EntryRow[], startedAt: number): void {
  for (const { submission } of rows) {
    const traceparent = submission?.recorded.traceparent ?? null;
    if (traceparent !== null)
      recordSpan('append entry', {
        ...{ traceparent, kind: 'consumer', startedAt },
        attributes: { 'agentlattice.commit.entries': rows.length },
      });
  }
  if (!recordsMetrics()) return;
  measure('agentlattice.ledger.append.duration', secondsSince(startedAt), { outcome: 'written' });
  measure('agentlattice.ledger.batch.size', rows.length, {});
  // Counted once for each combination of labels: a commit has many entries and few combinations.
  for (const [source, own] of Map.groupBy(rows, ({ entry }) => entry.source))
    count('agentlattice.ledger.entries', { source }, own.length);
  const outcomes = rows.flatMap(({ submission }) =>
    submission === null ? [] : [submission.recorded.outcome],
  );
  for (const [verdict, alike] of Map.groupBy(outcomes, (outcome) => outcome.verdict))
    for (const [reason, own] of Map.groupBy(alike, (outcome) => outcome.denial_reason))
      count('agentlattice.action', { verdict, denial_reason: reason ?? 'none' }, own.length);
}

export const recordFailedCommit = (startedAt: number): void =>
  measure('agentlattice.ledger.append.duration', secondsSince(startedAt), { outcome: 'failed' });
