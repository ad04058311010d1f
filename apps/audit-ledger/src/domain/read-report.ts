import { type auditLedgerCommands, type CommandRequest, Refused } from '@agentlattice/contracts';
import type { Disclosed, Entry } from '@agentlattice/ledger';
import { commitmentsOf, disclosedOf } from './commitments.js';
import type { ReportDraft } from './draft.js';

/**
 * Makes the draft of an agent's report. The status is bound by the commitment to `metadata`, with the rest (SPEC.md 3.4).
 * Entry and action remain connected by agent, policy, approval and correlation id, which both contain.
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
    // The parts are already canonical.
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
