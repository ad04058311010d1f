import { Refused, typeId } from '@agentlattice/contracts';
import type { ApprovalReference } from '../../domain/opened-requests.js';
import type { Principal } from '../../domain/principal.js';

const approvalId = typeId('apr');

/** The request that a path names, as the principal may read it. @throws Refused NOT_FOUND also for a malformed id */
export function approvalReferenceOf(
  principal: Principal,
  { approval_id }: { approval_id: string },
): ApprovalReference {
  if (!approvalId.safeParse(approval_id).success)
    throw new Refused('NOT_FOUND', 'there is no such approval request in this workspace');
  const agent_id = principal.kind === 'agent' ? principal.agent.id : null;
  return { org_id: principal.orgId, approval_id, agent_id };
}
