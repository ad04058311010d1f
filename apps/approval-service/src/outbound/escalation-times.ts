import type { Tx } from '@agentlattice/event-store';
import type { Approval } from '../domain/approval.js';
import { nextEscalationAt } from '../domain/escalation-plan.js';

/**
 * Stores the next escalation of each request in the transaction that changed it; the lock of its stream keeps others from
 * storing another time.
 */
export async function setNextEscalations(
  tx: Tx,
  changed: readonly { readonly orgId: string; readonly state: Approval }[],
): Promise<void> {
  const rows = changed.flatMap(({ orgId: org_id, state }) =>
    state.status === 'none'
      ? []
      : [
          {
            org_id,
            approval_id: state.subject.approval_id,
            at: nextEscalationAt(state)?.toISOString() ?? null,
          },
        ],
  );
  if (rows.length === 0) return;
  await tx.query(
    `UPDATE open_request o SET next_escalation_at = n.at
       FROM jsonb_to_recordset($1::jsonb) AS n (org_id text, approval_id text, at timestamptz)
      WHERE o.org_id = n.org_id AND o.approval_id = n.approval_id
        AND o.next_escalation_at IS DISTINCT FROM n.at`,
    [JSON.stringify(rows)],
  );
}
