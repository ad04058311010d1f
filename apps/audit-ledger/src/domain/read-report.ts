import { type auditLedgerCommands, type CommandRequest, Refused } from '@agentlattice/contracts';
import type { Disclosed, Entry } from '@agentlattice/ledger';
import { commitmentsOf, disclosedOf } from './commitments.js';
import type { ReportDraft } from './draft.js';

/**
 * Turns what an agent says of an action into what will be written. The status is bound with the rest, by the commitment
 * to `metadata` (SPEC.md 3.4); what ties the entry to the action for good is what both say: agent, policy, approval and
 * correlation id.
 * @throws Refused NOT_REPORTABLE
 */
export function readReport(
  { audit_event_id, status, message, metadata }: CommandRequest<typeof auditLedgerCommands.report>,
  action: Entry,
  { id, newSalt }: { id: string; newSalt: () => string },
): ReportDraft {
  if (action.decision !== 'executed' && action.decision !== 'requested')
    throw new Refused('NOT_REPORTABLE', 'the action was denied; there is nothing to report');
  const content: Disclosed = {
    ...disclosedOf({ note: message }, newSalt),
    // From texts that are canonical already.
    metadata: {
      salt: newSalt(),
      value: `{"audit_event_id":${JSON.stringify(audit_event_id)},"metadata":${metadata ?? 'null'},"status":"${status}"}`,
    },
  };
  const { org_id, action_type, agent, policy, approval_id, correlation_id } = action;
  return {
    kind: 'report',
    id,
    content,
    report: { actionId: action.id, status },
    facts: {
      type: 'action.reported',
      org_id,
      action_type,
      agent,
      operator: null,
      decision: null,
      resolved_by: null,
      policy,
      approval_id,
      correlation_id,
      private: commitmentsOf(content),
    },
  };
}
