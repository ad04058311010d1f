import type { ApprovalStatus, ApprovalTerms, ApprovalView, PolicyRef } from '@agentlattice/contracts';
import type { EventMeta } from '@agentlattice/event-store';

export interface ApprovalRow {
  readonly org_id: string;
  readonly approval_id: string;
  readonly status: 'pending' | 'timed_out';
  readonly escalation_level: number;
  readonly audit_event_id: string;
  readonly agent_id: string;
  readonly agent_name: string;
  readonly action_type: string;
  readonly action_digest: string;
  readonly policy: PolicyRef;
  readonly terms: ApprovalTerms;
  readonly created_at: Date;
  readonly deadline_at: Date;
  readonly resolved_at: Date | null;
  readonly resolved_by: string | null;
  readonly reason: string | null;
  readonly time_left: number;
  /** Null members were erased. */
  readonly private: Partial<Record<'metadata' | 'data_accessed' | 'conditions_evaluated', string>> | null;
}

export interface HistoryRow {
  readonly stream_id: string;
  readonly type: string;
  readonly occurred_at: Date;
  readonly meta: EventMeta;
}

export function toView(row: ApprovalRow, history: readonly HistoryRow[]): ApprovalView {
  const { policy, terms, status } = row;
  return {
    id: row.approval_id,
    approval_id: row.approval_id,
    audit_event_id: row.audit_event_id,
    status,
    escalation_level: row.escalation_level,
    agent: { id: row.agent_id, name: row.agent_name },
    action_type: row.action_type,
    action_digest: row.action_digest,
    policy,
    policy_name: policy.name,
    metadata: JSON.parse(row.private?.metadata ?? '{}') as ApprovalView['metadata'],
    data_accessed: JSON.parse(row.private?.data_accessed ?? '[]') as ApprovalView['data_accessed'],
    conditions_evaluated: JSON.parse(
      row.private?.conditions_evaluated ?? '[]',
    ) as ApprovalView['conditions_evaluated'],
    created_at: row.created_at.toISOString(),
    timeout_at: row.deadline_at.toISOString(),
    time_left_seconds: status === 'pending' ? row.time_left : 0,
    approvals: { have: 0, need: terms.approvals_required },
    denials: { have: 0, need: terms.denials_required },
    approver_groups: terms.approver_groups,
    separation_of_duties: terms.separation_of_duties,
    reason: row.reason,
    resolved_by: row.resolved_by,
    resolved_at: row.resolved_at?.toISOString() ?? null,
    history: history.map(({ type, occurred_at, meta: { actor } }) => ({
      type,
      at: occurred_at.toISOString(),
      operator: actor?.kind === 'operator' && actor.id !== null ? { id: actor.id, via: actor.via } : null,
      reason: null,
      note: null,
    })),
  };
}

export const toStatus = (row: ApprovalRow): ApprovalStatus => ({
  status: row.status,
  approval_id: row.approval_id,
  reason: row.reason,
  denial_reason: null,
  resolved_by: row.resolved_by,
  resolved_at: row.resolved_at?.toISOString() ?? null,
  timeout_at: row.deadline_at.toISOString(),
  grant: null,
});
