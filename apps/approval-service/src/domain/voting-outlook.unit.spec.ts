import type { KeyRef } from '@agentlattice/contracts';
import { fold, Refused } from '@agentlattice/decider';
import fc from 'fast-check';
import {
  agent,
  approve,
  at,
  deadline,
  deny,
  owner,
  person,
  voted,
  voteOf,
  wasApproved,
  wasDenied,
  wasOpened,
} from '../../test/approval-scenario.js';
import type { ApprovalEvent, KnownApproval } from './approval.js';
import { type ApprovalCommand, approvalDecider } from './approval-decider.js';
import type { Person } from './may-decide.js';
import { votingOutlook } from './voting-outlook.js';

const stateOf = (...events: ApprovalEvent[]) => fold(approvalDecider, events) as KnownApproval;
const now = at(1_000);
const outlook = (state: KnownApproval, by: Person, key: KeyRef | null = null, when = now) =>
  votingOutlook(state, { by, key, now: when });
const ownedBy = (member: string | null) => ({ ...agent, owner_member_id: member });
const keyOf = (...holders: string[]): KeyRef => ({
  id: 'key_01jd7e5sqcfnmrq9yh4qvxw2k3',
  made_by: holders[0] ?? null,
  shown_to: holders.slice(1),
});

describe('the reason why a person cannot decide', () => {
  const ada = person({ memberId: owner, role: 'admin' });
  const mia = person({ groups: ['release'] });
  it.each([
    ['VIEWER', wasOpened(), person({ role: 'viewer' })],
    ['JOINED_LATER', wasOpened({}, ownedBy('x')), person({ since: at(1) })],
    ['NOT_IN_GROUPS', wasOpened({ approver_groups: [{ group: 'finance', count: 1 }] }), mia],
    ['OWNER', wasOpened({ separation_of_duties: true }, ownedBy(owner)), ada],
    ['KEY_HOLDER', wasOpened({ separation_of_duties: true }, ownedBy('x'), keyOf(mia.memberId)), mia],
    ['NOT_ADMIN', wasOpened({ separation_of_duties: true }, ownedBy(null)), mia],
    ['POLICY_AUTHOR', wasOpened({ separation_of_duties: true, policy_author: owner }, ownedBy(null)), ada],
  ])('is %s', (code, opened, by) => {
    expect(outlook(stateOf(opened), by)).toEqual({
      can_decide: false,
      cannot_decide_reason: { code, text: expect.any(String) },
      completes: false,
    });
  });

  it('is that a holder of the key may not decide', () => {
    const state = stateOf(wasOpened({ separation_of_duties: true }, ownedBy(owner)));
    expect(outlook(state, mia, keyOf(owner)).cannot_decide_reason?.code).toBe('KEY_HOLDER');
    expect(outlook(state, mia).can_decide).toBe(true);
  });

  it('is VOTED, DECIDED or TIMED_OUT', () => {
    const vote = voteOf(mia);
    expect(
      outlook(stateOf(wasOpened({ approvals_required: 2 }), voted(vote, [1, 2])), mia).cannot_decide_reason
        ?.code,
    ).toBe('VOTED');
    expect(outlook(stateOf(wasOpened(), wasDenied([vote])), mia).cannot_decide_reason?.code).toBe('DECIDED');
    expect(outlook(stateOf(wasOpened()), mia, null, deadline).cannot_decide_reason?.code).toBe('TIMED_OUT');
  });
});

it('an approval completes when it fills the last seat', () => {
  const [mia, tom] = [person({ groups: ['release'] }), person()];
  const terms = { approvals_required: 2, approver_groups: [] };
  expect(outlook(stateOf(wasOpened(terms)), tom).completes).toBe(false);
  const second = stateOf(wasOpened(terms), voted(voteOf(mia), [1, 2]));
  expect(outlook(second, tom).completes).toBe(true);
});

describe('for any request and any person', () => {
  const names = ['a', 'b', 'c', 'd'];
  const groups = fc.subarray(['x', 'y']);
  const key = fc.option(fc.subarray(names).map((holders) => keyOf(...holders)));
  const name = fc.constantFrom(...names);
  const people = fc.record({
    memberId: name,
    role: fc.constantFrom('viewer' as const, 'member' as const, 'admin' as const),
    groups,
    since: fc.constantFrom(at(-1_000), at(0), at(500)),
  });
  const vote = fc
    .record({ by: people, decision: fc.constantFrom('approve' as const, 'deny' as const), key })
    .map(({ by, ...how }) => voteOf(by, how));
  const request = fc
    .record({
      terms: fc.record({
        approvals_required: fc.integer({ min: 1, max: 3 }),
        denials_required: fc.integer({ min: 1, max: 2 }),
        approver_groups: fc
          .subarray(['x', 'y'])
          .map((wanted) => wanted.map((group) => ({ group, count: 1 }))),
        separation_of_duties: fc.boolean(),
        policy_authors: fc.subarray(names),
      }),
      by: fc.option(name).map(ownedBy),
      askedWith: key,
      votes: fc.uniqueArray(vote, { selector: ({ member_id }) => member_id, maxLength: 3 }),
      end: fc.constantFrom('open', 'approved', 'denied'),
    })
    .map(({ terms, by, askedWith, votes, end }) =>
      stateOf(
        wasOpened(terms, by, askedWith),
        ...votes.map((one) => voted(one, [0, 1])),
        ...(end === 'approved' ? [wasApproved(votes)] : end === 'denied' ? [wasDenied(votes)] : []),
      ),
    );
  const when = fc.constantFrom(now, deadline);

  const result = (command: ApprovalCommand, state: KnownApproval) => {
    try {
      return approvalDecider.decide(command, state);
    } catch (error) {
      if (error instanceof Refused) return error;
      throw error;
    }
  };

  it('can_decide is what the decider does with the vote, and completes is what the vote does', () => {
    fc.assert(
      fc.property(request, people, key, when, (state, by, withKey, time) => {
        const { can_decide, cannot_decide_reason, completes } = outlook(state, by, withKey, time);
        const approved = result(approve(by, { key: withKey, now: time }), state);
        const denied = result(deny(by, time, withKey), state);
        for (const answer of [approved, denied]) {
          expect(answer instanceof Refused).toBe(!can_decide);
          if (answer instanceof Refused) expect(answer.detail).toBe(cannot_decide_reason?.text);
        }
        expect(cannot_decide_reason === null).toBe(can_decide);
        expect(completes).toBe(!(approved instanceof Refused) && approved[0]?.type === 'approval.approved');
      }),
      { numRuns: 2_000 },
    );
  });
});
