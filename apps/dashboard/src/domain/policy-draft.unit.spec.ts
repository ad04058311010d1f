import { type PolicyContent, policyInput } from '@agentlattice/contracts';
import { draftOf, emptyCondition, emptyDraft, emptyGroup, emptyStep, policyOf } from './policy-draft.js';

const policy: PolicyContent = {
  name: 'Deploys',
  action_type: 'deploy.*',
  effect: 'conditional',
  conditions: [
    { field: 'change.count', operator: 'lte', value: 10 },
    { field: 'version', operator: 'neq', value: '10' },
    { field: 'service', operator: 'in', value: ['api', 'web, old'] },
    { field: 'urgent', operator: 'exists', value: false },
  ],
  condition_expression: 'metadata.amount < 500',
  on_fail: 'require_approval',
  timeout: '1h30m',
  escalation: [
    {
      after: '10m',
      contacts: ['a@example.com', 'b@example.com'],
      channels: ['chn_01jd7e5sqcfnmrq9yh4qvxw2k3'],
      repeat: { every: '5m', times: 2 },
    },
    { after: '20m', contacts: [], channels: [], repeat: null },
  ],
  approvals_required: 2,
  denials_required: 1,
  approver_groups: [{ group: 'Finance', count: 1 }],
  separation_of_duties: true,
  on_removed: 'keep',
  on_no_approver: 'deny',
  mode: 'enforce',
  active: true,
  notice: 'Cannot be undone',
};

describe('a policy that is being written', () => {
  it('is sent as it was when nothing is changed', () => {
    const { mode, ...sent } = policy;
    expect(policyOf(draftOf(policy))).toEqual(sent);
    expect(policyInput.parse(policyOf(draftOf(policy)))).toEqual({ ...sent, mode });
    expect(policyOf({ ...draftOf(policy), notice: ' ' }).notice).toBeNull();
  });

  it('is a policy that asks one person when only its name and action type are given', () => {
    const written = policyOf({ ...emptyDraft, name: 'Deploys', action_type: ' deploy.production ' });
    expect(policyInput.parse(written)).toMatchObject({
      action_type: 'deploy.production',
      effect: 'require_approval',
      approvals_required: 1,
      conditions: [],
      condition_expression: null,
    });
  });

  it('has no conditions when its effect has none, and keeps what was typed', () => {
    const draft = { ...draftOf(policy), effect: 'deny' as const, on_fail: 'deny' as const };
    expect(policyOf(draft)).toMatchObject({
      conditions: [],
      condition_expression: null,
      on_fail: 'require_approval',
    });
    expect(draft.conditions).toHaveLength(4);
  });

  it.each(['', ' ', '1.5', '-1', 'two', '0'])(
    'never makes a quorum of %j into another one: the server refuses it',
    (typed) => {
      const sent = policyOf({ ...draftOf(policy), approvals_required: typed });
      expect(policyInput.safeParse(sent).error?.issues.map(({ path }) => path.join('/'))).toContain(
        'approvals_required',
      );
    },
  );

  it('gives each empty row a fault at its own field', () => {
    const sent = policyOf({
      ...draftOf(policy),
      conditions: [emptyCondition],
      approver_groups: [emptyGroup],
      escalation: [{ ...emptyStep, contacts: 'nobody', every: '0s' }],
    });
    expect(policyInput.safeParse(sent).error?.issues.map(({ path }) => path.join('/'))).toEqual(
      expect.arrayContaining([
        'conditions/0/field',
        'approver_groups/0/group',
        'escalation/0/contacts/0',
        'escalation/0/repeat/every',
      ]),
    );
  });
});
