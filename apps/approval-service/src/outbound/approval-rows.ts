import type { ConditionEvaluated, EventData, OpenItem } from '@agentlattice/contracts';
import type { Statement, StoredEvent, Tx } from '@agentlattice/event-store';
import { evolve } from '../domain/approval.js';
import { nextEscalationAt } from '../domain/escalation-plan.js';

/** The item without what belongs to one submission of it. */
export type OpenableItem = Omit<OpenItem, 'item_id' | 'gateway' | 'replayed'>;

/** What writes the rows of approvals just opened, and their erasable values, in the transaction of their events. */
export function insertingApprovals(
  opened: readonly { item: OpenableItem; event: StoredEvent }[],
): Statement[] {
  const rows = opened.map(({ item, event }) => ({
    org_id: item.org_id,
    approval_id: item.approval_id,
    status: 'pending',
    audit_event_id: item.audit_event_id,
    agent_id: item.agent.id,
    agent_name: item.agent.name,
    action_type: item.action_type,
    action_digest: item.action_digest,
    policy_id: item.policy.id,
    policy: item.policy,
    terms: item.terms,
    created_at: item.requested_at,
    deadline_at: item.timeout_at,
    next_escalation_at: firstEscalation(item),
    version: event.version,
    correlation_id: item.correlation_id,
    traceparent: item.traceparent,
  }));
  const values = opened.flatMap(({ item: { org_id, approval_id, ...item } }) =>
    Object.entries({
      metadata: item.metadata,
      data_accessed: item.data_accessed,
      conditions_evaluated: JSON.stringify(item.conditions_evaluated),
    }).map(([name, value]) => [org_id, approval_id, name, value] as const),
  );
  return [
    {
      text: `INSERT INTO approval (org_id, approval_id, status, audit_event_id, agent_id, agent_name, action_type,
                           action_digest, policy_id, policy, terms, created_at, deadline_at,
                           next_escalation_at, version, correlation_id, traceparent)
     SELECT * FROM jsonb_to_recordset($1::jsonb)
       AS r (org_id text, approval_id text, status text, audit_event_id text, agent_id text, agent_name text,
             action_type text, action_digest text, policy_id text, policy jsonb, terms jsonb, created_at timestamptz,
             deadline_at timestamptz, next_escalation_at timestamptz, version int, correlation_id text, traceparent text)`,
      values: [JSON.stringify(rows)],
    },
    {
      text: `INSERT INTO private_value (org_id, approval_id, name, value)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])`,
      values: [0, 1, 2, 3].map((column) => values.map((row) => row[column])),
    },
  ];
}

/** The conditions that are shown are those of the policy that governs by now; what was erased stays erased. */
export async function showConditions(
  tx: Tx,
  orgId: string,
  shown: readonly { approval_id: string; conditions_evaluated: readonly ConditionEvaluated[] }[],
): Promise<void> {
  if (shown.length === 0) return;
  await tx.query(
    `UPDATE private_value v SET value = s.value FROM unnest($2::text[], $3::text[]) AS s (approval_id, value)
      WHERE v.org_id = $1 AND v.approval_id = s.approval_id AND v.name = 'conditions_evaluated'`,
    [
      orgId,
      shown.map(({ approval_id }) => approval_id),
      shown.map(({ conditions_evaluated }) => JSON.stringify(conditions_evaluated)),
    ],
  );
}

function firstEscalation(item: OpenableItem): string | null {
  // Most policies have no plan, and this is on the way of every request.
  if (item.terms.escalation.length === 0) return null;
  const state = evolve({ status: 'none' }, { type: 'approval.opened', data: openedData(item) });
  return nextEscalationAt(state)?.toISOString() ?? null;
}

/** What `approval.opened` says: references, and nothing that may have to be erased. */
export const openedData = (item: OpenableItem): EventData<'approval.opened'> => ({
  approval_id: item.approval_id,
  audit_event_id: item.audit_event_id,
  agent: item.agent,
  action_type: item.action_type,
  policy: item.policy,
  action_digest: item.action_digest,
  terms: item.terms,
  asked_with_key: item.asked_with_key ?? null,
  judged_at: item.judged_at,
  requested_at: item.requested_at,
  timeout_at: item.timeout_at,
});
