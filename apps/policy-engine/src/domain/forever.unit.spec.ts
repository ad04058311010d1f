import { content } from '../../test/policy-fixture.js';
import { contentFaults } from './compile-policy.js';
import { contentOf, type Forever, planForever } from './forever.js';

const forever = (members: Partial<Forever> = {}): Forever => ({
  approval_id: 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3',
  policy_id: 'pol_01jd7e5sqcfnmrq9yh4qvxw2k3',
  policy_version: 3,
  action_type: 'deploy.production',
  forever_for: 'policy',
  ...members,
});
const standing = (members: Record<string, unknown> = {}, version = 3) => ({
  version,
  content: content(members),
});

describe('an approval forever', () => {
  it('gives the policy the effect allow, without faults', () => {
    const conditional = standing({
      effect: 'conditional',
      conditions: [{ field: 'pr_size', operator: 'lt', value: 100 }],
      condition_expression: 'metadata.pr_size < 100',
      on_fail: 'deny',
    });
    const plan = planForever(forever(), conditional);
    if (plan.does !== 'allow policy') throw new Error(plan.does);
    expect(contentFaults({ ...conditional.content, ...plan.patch } as typeof conditional.content)).toEqual(
      [],
    );
    expect(plan.patch).toEqual({
      effect: 'allow',
      conditions: [],
      condition_expression: null,
      on_fail: 'require_approval',
    });
  });

  it('makes a policy for the action type below a wildcard, and none when the policy is for exactly that type', () => {
    const forType = forever({ forever_for: 'action_type' });
    expect(planForever(forType, standing({ action_type: 'deploy.*' })).does).toBe('allow action type');
    expect(planForever(forType, standing()).does).toBe('allow policy');
    expect(contentOf(forType, false)).toMatchObject({
      name: 'Always allow deploy.production',
      action_type: 'deploy.production',
      effect: 'allow',
    });
    const longest = { ...forType, action_type: 'a'.repeat(255) };
    for (const taken of [false, true]) expect(contentOf(longest, taken).name.length).toBeLessThanOrEqual(120);
  });

  it.each([
    ['is deleted', null, /deleted/],
    ['moved on', standing({}, 4), /version 4.*version 3/],
    ['allows already', standing({ effect: 'allow' }, 4), /allows already/],
  ])('leaves a policy alone that %s', (_what, policy, detail) => {
    for (const forever_for of ['policy', 'action_type'] as const)
      expect(planForever(forever({ forever_for }), policy)).toEqual({
        does: 'nothing',
        detail: expect.stringMatching(detail),
      });
  });

  it('makes no policy for an invalid action type', () =>
    expect(
      planForever(
        forever({ forever_for: 'action_type', action_type: 'deploy.*' }),
        standing({ action_type: '*' }),
      ),
    ).toMatchObject({ does: 'nothing' }));
});
