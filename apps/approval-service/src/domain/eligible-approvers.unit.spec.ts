import { agent, at, owner, person, wasOpened } from '../../test/approval-scenario.js';
import type { KnownApproval } from './approval.js';
import { approvalDecider } from './approval-decider.js';
import { eligibleApprovers, remainingApprovers } from './eligible-approvers.js';

const request = (orgId: string, ...how: Parameters<typeof wasOpened>) => {
  const state = approvalDecider.evolve(approvalDecider.initialState(), wasOpened(...how)) as KnownApproval;
  return { ...state, orgId };
};

it('counts for each request who may decide it', () => {
  const legal = person({ groups: ['legal'] });
  const people = [
    legal,
    person(),
    person({ role: 'viewer' }),
    person({ since: at(1) }),
    person({ memberId: owner }),
  ];
  const groups = { approver_groups: [{ group: 'legal', count: 1 }] };
  const owned = { ...agent, owner_member_id: owner };
  const separated = { separation_of_duties: true, policy_author: null };
  expect(
    eligibleApprovers(
      [
        request('a'),
        request('a', groups),
        request('a'),
        request('a', separated, owned),
        request('a', separated, agent),
        request('b'),
        request('c'),
      ],
      new Map([
        ['a', people],
        ['b', [legal]],
        ['c', []],
      ]),
    ),
  ).toEqual([3, 1, 3, 2, 0, 1, null]);
});

it('names who may decide and has not voted', () => {
  const [one, two, viewer] = [person(), person(), person({ role: 'viewer' })];
  const state = request('a');
  const ids = [one, two].map(({ memberId }) => memberId).sort();
  expect(remainingApprovers(state, [two, viewer, one])).toEqual(ids);
  const voted = { ...state, votes: [{ member_id: one.memberId }] };
  expect(remainingApprovers(voted, [one, two])).toEqual([two.memberId]);
});
