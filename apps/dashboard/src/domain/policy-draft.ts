import type { ConditionOperator, PolicyContent, PolicyPatch } from '@agentlattice/contracts';
import { readValue, typedValue } from './condition-value.js';

export interface ConditionDraft {
  readonly field: string;
  readonly operator: ConditionOperator;
  readonly value: string;
}
export interface StepDraft {
  readonly after: string;
  /** Mail addresses, with commas between them. */
  readonly contacts: string;
  readonly channels: readonly string[];
  /** Empty: the step is told once. */
  readonly every: string;
  readonly times: string;
}
export interface GroupDraft {
  readonly group: string;
  readonly count: string;
}

/** A policy while it is being written: what stands in the fields, as it was typed. */
export interface PolicyDraft {
  readonly name: string;
  readonly action_type: string;
  readonly effect: PolicyContent['effect'];
  readonly conditions: readonly ConditionDraft[];
  readonly condition_expression: string;
  readonly on_fail: PolicyContent['on_fail'];
  readonly timeout: string;
  readonly escalation: readonly StepDraft[];
  readonly approvals_required: string;
  readonly denials_required: string;
  readonly approver_groups: readonly GroupDraft[];
  readonly separation_of_duties: boolean;
  readonly on_removed: PolicyContent['on_removed'];
  readonly on_no_approver: PolicyContent['on_no_approver'];
  readonly active: boolean;
  readonly notice: string;
}

export const emptyDraft: PolicyDraft = {
  name: '',
  action_type: '',
  effect: 'require_approval',
  conditions: [],
  condition_expression: '',
  on_fail: 'require_approval',
  timeout: '30m',
  escalation: [],
  approvals_required: '1',
  denials_required: '1',
  approver_groups: [],
  separation_of_duties: false,
  on_removed: 'approve',
  on_no_approver: 'escalate',
  active: true,
  notice: '',
};

export const emptyCondition: ConditionDraft = { field: '', operator: 'lte', value: '' };
export const emptyStep: StepDraft = { after: '10m', contacts: '', channels: [], every: '', times: '3' };
export const emptyGroup: GroupDraft = { group: '', count: '1' };

export const draftOf = (policy: PolicyContent): PolicyDraft => ({
  name: policy.name,
  action_type: policy.action_type,
  effect: policy.effect,
  conditions: policy.conditions.map(({ field, operator, value }) => ({
    field,
    operator,
    value: typedValue(operator, value),
  })),
  condition_expression: policy.condition_expression ?? '',
  on_fail: policy.on_fail,
  timeout: policy.timeout,
  escalation: policy.escalation.map(({ after, contacts, channels, repeat }) => ({
    after,
    contacts: contacts.join(', '),
    channels,
    every: repeat?.every ?? '',
    times: String(repeat?.times ?? 3),
  })),
  approvals_required: String(policy.approvals_required),
  denials_required: String(policy.denials_required),
  approver_groups: policy.approver_groups.map(({ group, count }) => ({ group, count: String(count) })),
  separation_of_duties: policy.separation_of_duties,
  on_removed: policy.on_removed,
  on_no_approver: policy.on_no_approver,
  active: policy.active,
  notice: policy.notice ?? '',
});

/** What is sent. The server judges it; nothing is corrected here but what a field cannot express otherwise. */
export function policyOf(draft: PolicyDraft): PolicyPatch {
  const isConditional = draft.effect === 'conditional';
  const expression = draft.condition_expression.trim();
  return {
    name: draft.name,
    action_type: draft.action_type.trim(),
    effect: draft.effect,
    conditions: isConditional
      ? draft.conditions.map(({ field, operator, value }) => ({
          field: field.trim(),
          operator,
          value: readValue(operator, value),
        }))
      : [],
    condition_expression: isConditional && expression !== '' ? expression : null,
    on_fail: isConditional ? draft.on_fail : 'require_approval',
    timeout: draft.timeout.trim(),
    escalation: draft.escalation.map(({ after, contacts, channels, every, times }) => ({
      after: after.trim(),
      contacts: contacts.split(/[\s,;]+/).filter((contact) => contact !== ''),
      channels: [...channels],
      repeat: every.trim() === '' ? null : { every: every.trim(), times: numberOf(times) },
    })),
    approvals_required: numberOf(draft.approvals_required),
    denials_required: numberOf(draft.denials_required),
    approver_groups: draft.approver_groups.map(({ group, count }) => ({
      group: group.trim(),
      count: numberOf(count),
    })),
    separation_of_duties: draft.separation_of_duties,
    on_removed: draft.on_removed,
    on_no_approver: draft.on_no_approver,
    active: draft.active,
    notice: draft.notice.trim() === '' ? null : draft.notice,
  };
}

/** An empty or misspelt number stays wrong, so that the server refuses it; it never becomes a quorum of one. */
const numberOf = (text: string): number => (/^\d{1,9}$/.test(text.trim()) ? Number(text) : 0);
