import type { PolicyContent } from '@agentlattice/contracts';
import { plural } from './time-left.js';

type Effect = PolicyContent['effect'];

export const effectNames: Readonly<Record<Effect, string>> = {
  require_approval: 'Always asks',
  conditional: 'Asks, or runs alone by conditions',
  allow: 'Allows',
  deny: 'Denies',
};

/** What the policy does, in one sentence. */
export function policySentence(policy: PolicyContent): string {
  const { effect, on_fail, timeout } = policy;
  switch (effect) {
    case 'allow':
      return 'The action runs without a person.';
    case 'deny':
      return 'The action never runs.';
    case 'require_approval':
      return `${quorumText(policy)} Without a decision in ${timeout} the agent is denied.`;
    case 'conditional':
      return on_fail === 'deny'
        ? 'The action runs alone when every condition holds, and is denied otherwise.'
        : `The action runs alone when every condition holds. Otherwise: ${quorumText(policy)} Without a decision in ${timeout} the agent is denied.`;
  }
}

function quorumText({ approvals_required, approver_groups, separation_of_duties }: PolicyContent): string {
  const groups = approver_groups.map(({ group, count }) => `${String(count)} of ${group}`);
  const who = groups.length === 0 ? '' : `, ${groups.join(' and ')}`;
  const owner = separation_of_duties ? ' The owner of the agent may not decide.' : '';
  const verb = approvals_required === 1 ? 'approves' : 'approve';
  return `${plural(approvals_required, 'person').replace('persons', 'people')} ${verb}${who}.${owner}`;
}

/** What happens to requests that wait under a policy which governs them no longer. */
export const onRemovedTexts: Readonly<Record<PolicyContent['on_removed'], string>> = {
  approve: 'are approved, where no other policy governs them',
  deny: 'are denied, where no other policy governs them',
  keep: 'stay waiting for a person, where no other policy governs them',
};
