import { deciderSpec, fold } from '@agentlattice/decider';
import { type PolicyPatch, Refused } from '@agentlattice/contracts';
import fc from 'fast-check';
import { content } from '../../test/policy-fixture.js';
import { contentHash } from './content-hash.js';
import { type PolicyCommand, policyDecider, type PolicyEvent, type PolicyEventType } from './policy.js';

const policyId = 'pol_01jd7e5sqcfnmrq9yh4qvxw2k3';
const given = deciderSpec(policyDecider);
const fact = (type: PolicyEventType, version: number, members: Record<string, unknown> = {}): PolicyEvent => {
  const value = content(members);
  return {
    type,
    data: { policy_id: policyId, name: value.name, version, hash: contentHash(value), content: value },
  };
};
const update = (patch: PolicyPatch, expectedVersion: number | null = null): PolicyCommand => ({
  type: 'UpdatePolicy',
  policyId,
  patch,
  expectedVersion,
});
const remove = (expectedVersion: number | null = null): PolicyCommand => ({
  type: 'DeletePolicy',
  policyId,
  expectedVersion,
});
const created = fact('policy.created', 1);
const deleted = fact('policy.deleted', 2);

describe('a policy', () => {
  it('begins at version 1 with the hash of its content', () => {
    given()
      .when({ type: 'CreatePolicy', policyId, content: content() })
      .thenEvents(fact('policy.created', 1));
  });
  it('without a notice has the hash that it had before there were notices', () => {
    given()
      .when({ type: 'CreatePolicy', policyId, content: { ...content(), notice: null } })
      .thenEvents(fact('policy.created', 1));
    given(created)
      .when(update({ notice: null }))
      .thenEvents();
    given(created)
      .when(update({ notice: 'Cannot be undone' }))
      .thenEvents(fact('policy.updated', 2, { notice: 'Cannot be undone' }));
  });
  it('is made once', () => {
    given(created)
      .when({ type: 'CreatePolicy', policyId, content: content() })
      .thenRefused('PRECONDITION_FAILED');
  });
  it('changes the members that a patch names and keeps the others', () => {
    given(created)
      .when(update({ timeout: '1h' }))
      .thenEvents(fact('policy.updated', 2, { timeout: '1h' }));
  });
  it('is switched off and on by `active` alone', () => {
    const off = fact('policy.deactivated', 2, { active: false });
    given(created)
      .when(update({ active: false }))
      .thenEvents(off);
    given(created, off)
      .when(update({ active: true }))
      .thenEvents(fact('policy.activated', 3));
    given(created)
      .when(update({ active: false, effect: 'deny' }))
      .thenEvents(fact('policy.updated', 2, { active: false, effect: 'deny' }));
  });
  it('writes nothing when nothing changes', () => {
    given(created)
      .when(update({ effect: 'require_approval' }))
      .thenNothing();
  });
  it('is not changed when it is not at the expected version', () => {
    given(created)
      .when(update({ active: false }, 2))
      .thenRefused('PRECONDITION_FAILED');
    given(created)
      .when(update({ effect: 'require_approval' }, 2))
      .thenRefused('PRECONDITION_FAILED');
    given(created).when(remove(7)).thenRefused('PRECONDITION_FAILED');
    given(created).when(remove(1)).thenEvents(deleted);
  });
  it('cannot be changed once it is deleted', () => {
    given()
      .when(update({ active: false }))
      .thenRefused('NOT_FOUND');
    given(created, deleted)
      .when(update({ active: false }))
      .thenRefused('NOT_FOUND');
    given(created, deleted).when(remove()).thenRefused('NOT_FOUND');
  });
  it('is refused with all faults of the merged policy', () => {
    const patch: PolicyPatch = { conditions: [{ field: 'a', operator: 'in', value: 1 }], name: 'a\0b' };
    given(created).when(update(patch)).thenRefused('VALIDATION_FAILED');
    const judge = () => policyDecider.decide(update(patch), fold(policyDecider, [created]));
    const pointers = ['/name', '/conditions', '/conditions/0/value'];
    expect(judge).toThrow(Refused);
    try {
      judge();
    } catch (error) {
      expect((error as Refused).errors?.map((fault) => fault.pointer)).toEqual(pointers);
    }
  });
  it('can be switched off also when it is faulty by newer rules', () => {
    const faulty = fact('policy.created', 1, { effect: 'conditional', condition_expression: 'gone()' });
    given(faulty)
      .when(update({ active: false }))
      .thenEvents(
        fact('policy.deactivated', 2, {
          effect: 'conditional',
          condition_expression: 'gone()',
          active: false,
        }),
      );
    given(faulty)
      .when(update({ timeout: '1h' }))
      .thenRefused('VALIDATION_FAILED');
  });

  it('has gapless versions and correct hashes after any commands', () => {
    const patch = fc.record<PolicyPatch>(
      {
        active: fc.boolean(),
        effect: fc.constantFrom('allow', 'deny', 'require_approval', 'conditional'),
        timeout: fc.constantFrom('1m', '2m', '0s'),
        conditions: fc.constantFrom([], [{ field: 'a', operator: 'eq', value: 1 }]),
      },
      { requiredKeys: [] },
    );
    const expected = fc.option(fc.integer({ min: 1, max: 5 }));
    const command: fc.Arbitrary<PolicyCommand> = fc.oneof(
      fc.constant<PolicyCommand>({ type: 'CreatePolicy', policyId, content: content() }),
      fc.tuple(patch, expected).map(([members, version]) => update(members, version)),
      fc.tuple(patch, expected).map(([members, version]) => update(members, version)),
      expected.map(remove),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
        const history: PolicyEvent[] = [];
        for (const next of commands) {
          try {
            history.push(...policyDecider.decide(next, fold(policyDecider, history)));
          } catch (error) {
            if (!(error instanceof Refused)) throw error;
          }
        }
        history.forEach(({ type, data }, i) => {
          expect(data.version).toBe(i + 1);
          expect(data.hash).toBe(contentHash(data.content));
          expect(type === 'policy.created').toBe(i === 0);
          if (type === 'policy.deleted') expect(i).toBe(history.length - 1);
        });
      }),
    );
  });
});

describe('the hash of a policy', () => {
  it('does not depend on the order of members', () => {
    const value = content();
    const reversed = Object.fromEntries(Object.entries(value).reverse()) as typeof value;
    expect(contentHash(reversed)).toBe(contentHash(value));
  });
});
