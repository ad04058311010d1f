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
  for (const { entry, submission } of rows) {
    count('agentlattice.ledger.entries', { source: entry.source });
    if (submission === null) continue;
    const { verdict, denial_reason } = submission.recorded.outcome;
    count('agentlattice.action', { verdict, denial_reason: denial_reason ?? 'none' });
  }
}

export const recordFailedCommit = (startedAt: number): void =>
  measure('agentlattice.ledger.append.duration', secondsSince(startedAt), { outcome: 'failed' });
