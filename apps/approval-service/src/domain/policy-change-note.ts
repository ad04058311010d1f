import type { EventType, PolicyChange } from '@agentlattice/contracts';
import type { ApprovalEvent } from './approval.js';
import type { Judgement } from './decide-judgement.js';

/** Events of tampering do not change the content of a policy. */
export type ChangeType = Exclude<Extract<EventType, `policy.${string}`>, `policy.tampering_${string}`>;

const happened: Readonly<Record<ChangeType, string>> = {
  'policy.created': 'was created',
  'policy.updated': 'was changed',
  'policy.activated': 'was activated',
  'policy.deactivated': 'was deactivated',
  'policy.deleted': 'was deleted',
};

/** After each of these events, open requests may have to be judged again. */
export const policyChangeTypes = Object.keys(happened) as readonly ChangeType[];
const isChangeType = (type: string): type is ChangeType => Object.hasOwn(happened, type);

/** The reason of the system's action, as a text for people. */
export function noteOf(event: ApprovalEvent, judgement: Judgement, change: PolicyChange): string {
  const because = `the policy "${change.policy_name}" ${isChangeType(change.type) ? happened[change.type] : 'was changed'}`;
  switch (event.type) {
    case 'approval.policy_changed': {
      const { policy } = event.data;
      return `${capital(because)}: version ${String(policy.version)} of "${policy.name}" governs this request now.`;
    }
    case 'approval.approved':
      return `Approved automatically: ${because}, ${consequence(event.data.action_type, judgement, 'allows')}.`;
    case 'approval.denied':
      return `Denied automatically: ${because}, ${consequence(event.data.action_type, judgement, 'denies')}.`;
    default:
      return `${capital(because)}.`;
  }
}

function consequence(actionType: string, judgement: Judgement, says: 'allows' | 'denies'): string {
  const { policy, decision, denial_reason } = judgement;
  if (policy === null) return `so nothing governs ${actionType} any more`;
  if (decision === 'requested') return `and the votes cast so far suffice under "${policy.name}"`;
  if (denial_reason === 'POLICY_TAMPERED') return `and "${policy.name}" is not what its hash says`;
  return `and "${policy.name}" ${says} this action now`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
