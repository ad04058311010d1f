import type { WireEvent } from '@agentlattice/contracts';
import type { Entry } from '@agentlattice/ledger';
import type { StoredSubmission } from './draft.js';

/** An entry of the ledger's own as the event it is: entry and event are one and the same. */
export function wireEventOf(entry: Entry, gpos: number, submission: StoredSubmission | null): WireEvent {
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
    traceparent: submission?.recorded.traceparent ?? null,
    actor: entry.agent === null ? null : { kind: 'agent', id: entry.agent.id, key_id: null, via: 'api' },
    data: submission === null ? { log: entry.log } : actionData(entry, submission),
  };
}

function actionData(entry: Entry, { actionDigest, recorded }: StoredSubmission): Record<string, unknown> {
  const { denial_reason, approval_id, timeout_at } = recorded.outcome;
  return {
    audit_event_id: entry.id,
    seq: entry.seq,
    agent: entry.agent,
    action_type: entry.action_type,
    action_digest: actionDigest,
    policy: entry.policy,
    ...(entry.decision === 'denied' && { denial_reason }),
    ...(entry.decision === 'requested' && { approval_id, timeout_at }),
  };
}
