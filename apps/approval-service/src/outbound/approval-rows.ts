import type { ConditionEvaluated, EventData, OpenItem } from '@agentlattice/contracts';
import type { Statement, StoredEvent, Tx } from '@agentlattice/event-store';
import { evolve } from '../domain/approval.js';
import { nextEscalationAt } from '../domain/escalation-plan.js';

/** The item without the members of a single submission. */
export type OpenableItem = Omit<OpenItem, 'item_id' | 'gateway' | 'replayed'>;

/**
 * Opens requests that are not open yet: inserts the event, the row, the erasable values and the row of open requests. Returns
 * a row for each offered event, with its id if it was inserted; all others exist already.
 */
export function openRequestsStatement(
  offered: readonly { item: OpenableItem; event: StoredEvent }[],
): Statement {
  const rows = offered.map(({ item, event }) => ({
    org_id: item.org_id,
    approval_id: item.approval_id,
    event_id: event.event_id,
    type: event.type,
    schema_version: event.schema_version,
    data: event.data,
    meta: event.meta,
    version: event.version,
    audit_event_id: item.audit_event_id,
    agent_id: item.agent.id,
    agent_name: item.agent.name,
    acting_for: (item.agent.delegation?.ancestors ?? []).map(({ id }) => id),
    action_type: item.action_type,
    action_digest: item.action_digest,
    policy_id: item.policy.id,
    policy: item.policy,
    terms: item.terms,
    created_at: item.requested_at,
    deadline_at: item.timeout_at,
    next_escalation_at: firstEscalation(item),
    correlation_id: item.correlation_id,
    traceparent: item.traceparent,
    metadata: item.metadata,
    data_accessed: item.data_accessed,
    conditions_evaluated: JSON.stringify(item.conditions_evaluated),
  }));
  return {
    text: `WITH offered AS MATERIALIZED (
       SELECT r.*, date_trunc('milliseconds', clock_timestamp()) AS now
         FROM ROWS FROM (jsonb_to_recordset($1::jsonb) AS (
           org_id text, approval_id text, event_id text, type text, schema_version int, data jsonb, meta jsonb,
           version int, audit_event_id text, agent_id text, agent_name text, acting_for text[], action_type text, action_digest text,
           policy_id text, policy jsonb, terms jsonb, created_at timestamptz, deadline_at timestamptz,
           next_escalation_at timestamptz, correlation_id text, traceparent text, metadata text, data_accessed text,
           conditions_evaluated text)) AS r),
     inserted AS (
       INSERT INTO event (org_id, stream_id, version, event_id, type, schema_version, data, meta, occurred_at)
       SELECT org_id, approval_id, version, event_id, type, schema_version, data, meta, now FROM offered
       ON CONFLICT ON CONSTRAINT event_stream_version DO NOTHING
       RETURNING event_id, occurred_at),
     opened AS MATERIALIZED (SELECT o.* FROM offered o JOIN inserted USING (event_id)),
     approvals AS (
       INSERT INTO approval (org_id, approval_id, status, audit_event_id, agent_id, agent_name, acting_for, action_type, action_digest,
                             policy_id, policy, terms, created_at, deadline_at, version, correlation_id, traceparent)
       SELECT org_id, approval_id, 'pending', audit_event_id, agent_id, agent_name, acting_for, action_type, action_digest,
              policy_id, policy, terms, created_at, deadline_at, version, correlation_id, traceparent FROM opened),
     waiting AS (
       INSERT INTO open_request (org_id, approval_id, deadline_at, next_escalation_at)
       SELECT org_id, approval_id, deadline_at, next_escalation_at FROM opened),
     content AS (
       INSERT INTO private_value (org_id, approval_id, metadata, data_accessed, conditions_evaluated)
       SELECT org_id, approval_id, metadata, data_accessed, conditions_evaluated FROM opened)
     SELECT o.now, i.event_id, i.occurred_at FROM offered o LEFT JOIN inserted i USING (event_id)`,
    values: [JSON.stringify(rows)],
  };
}

/** Shows the conditions of the policy that governs now; erased values stay erased. */
export async function showConditions(
  tx: Tx,
  orgId: string,
  shown: readonly { approval_id: string; conditions_evaluated: readonly ConditionEvaluated[] }[],
): Promise<void> {
  if (shown.length === 0) return;
  await tx.query(
    `UPDATE private_value v SET conditions_evaluated = s.value
       FROM unnest($2::text[], $3::text[]) AS s (approval_id, value)
      WHERE v.org_id = $1 AND v.approval_id = s.approval_id AND v.conditions_evaluated IS NOT NULL`,
    [
      orgId,
      shown.map(({ approval_id }) => approval_id),
      shown.map(({ conditions_evaluated }) => JSON.stringify(conditions_evaluated)),
    ],
  );
}

function firstEscalation(item: OpenableItem): string | null {
  // A shortcut: most policies have no escalation, and this runs for every request.
  if (item.terms.escalation.length === 0) return null;
  const state = evolve({ status: 'none' }, { type: 'approval.opened', data: openedData(item) });
  return nextEscalationAt(state)?.toISOString() ?? null;
}

/** The data of `approval.opened`: references, and nothing that may have to be erased. */
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
