import type { WireEvent } from '@agentlattice/contracts';
import type { Entry } from '@agentlattice/ledger';
import type { EntryRow } from './draft.js';

/** The event of the ledger's own entry: entry and event are the same (ADR 4). */
export function wireEventOf(entry: Entry, gpos: number, stored: Stored): WireEvent {
  return {
    event_id: entry.id,
    type: entry.type,
    schema_version: 1,
    source: 'audit-ledger',
    gpos,
    source_seq: entry.source_seq,
    org_id: entry.org_id,
    stream_id: entry.log,
    version: entry.seq + 1,
    occurred_at: entry.time,
    correlation_id: entry.correlation_id,
    traceparent: stored.submission?.recorded.traceparent ?? null,
    actor: entry.agent === null ? null : { kind: 'agent', id: entry.agent.id, key_id: null, via: 'api' },
    data: dataOf(entry, stored),
  };
}

type Stored = Pick<EntryRow, 'submission' | 'report'>;

function dataOf(entry: Entry, { submission, report }: Stored): Record<string, unknown> {
  const { seq, agent, action_type, policy } = entry;
  const about = { seq, agent, action_type, policy };
  if (report !== null) {
    const { actionId: audit_event_id, status } = report;
    return { ...about, audit_event_id, approval_id: entry.approval_id, status };
  }
  if (submission === null) return { log: entry.log };
  const { denial_reason, approval_id, timeout_at } = submission.recorded.outcome;
  return {
    ...about,
    ...(entry.delegation === undefined ? {} : { acting_for: entry.delegation.chain.slice(0, -1) }),
    audit_event_id: entry.id,
    action_digest: submission.actionDigest,
    ...(entry.decision === 'denied' && { denial_reason }),
    ...(entry.decision === 'requested' && { approval_id, timeout_at }),
  };
}
