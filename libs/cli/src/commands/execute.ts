import { routes } from '@agentlattice/contracts';
import { submissionText } from '../api-calls.js';
import { exitCode } from '../exit-code.js';
import type { Ports } from '../ports.js';
import { safeJson, safeText } from '../render/safe-text.js';
import { clockText } from '../render/time-text.js';

export interface ExecuteRequest {
  readonly action: string;
  /** JSON texts. */
  readonly metadata: string;
  readonly dataAccessed: string;
  readonly eventId: string;
}

/**
 * Submits an action without waiting. A request that waits for a person ends with 2, so that `al execute … && command` runs
 * the command only for an action that is allowed, with a grant that was checked.
 */
export async function execute(
  request: ExecuteRequest,
  { api, terminal, json, style }: Ports,
): Promise<number> {
  const answer = await api.call(routes.submitAction, {
    body: submissionText(request),
    headers: { 'x-al-event-id': request.eventId, prefer: 'grant' },
  });
  const action = safeText(request.action);
  const said = async (code: number, sentence: string, more: object = {}) => {
    if (json) terminal.print(safeJson({ ...answer, event_id: request.eventId, ...more, exit_code: code }, 2));
    else terminal.print(sentence);
    return code;
  };
  switch (answer.status) {
    case 'executed': {
      const {
        approval_id: approvalId = null,
        audit_event_id: auditEventId,
        grant = null,
        policy_name,
      } = answer;
      const grant_fault = await api.grantFault(grant, { ...request, approvalId, auditEventId });
      return grant_fault === null
        ? said(
            exitCode.ok,
            `${style.good('allowed')} by the policy ${safeText(policy_name)}: ${action} (${auditEventId})`,
          )
        : said(exitCode.refused, `not let through: ${grant_fault}: ${action}`, { grant_fault });
    }
    case 'denied':
    case 'policy_not_found':
      return said(exitCode.refused, `${style.bad('denied')}: ${action} (${answer.denial_reason})`);
    case 'requested':
      return said(
        exitCode.timeout,
        `${style.open('waits')} for a person until ${clockText(answer.timeout_at)}: ${action} (${answer.approval_id}); al approvals show ${answer.approval_id}`,
      );
  }
}
