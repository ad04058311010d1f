import { fold } from '@agentlattice/decider';
import {
  agent,
  at,
  cancelled,
  deadline,
  given,
  owner,
  person,
  subject,
  timeout_at,
  voted,
  voteOf,
  wasDenied,
  wasOpened,
} from '../../test/approval-scenario.js';
import type { ApprovalEvent, KnownApproval } from './approval.js';
import { approvalDecider } from './approval-decider.js';
import { canBeApproved } from './decide-undecidable.js';
import type { Person } from './may-decide.js';

const nobody = (now = at(1), ...people: Person[]) => ({ type: 'ResolveUndecidable', people, now }) as const;
const step = { after: '10m', contacts: [], channels: [], repeat: null };
const escalated: ApprovalEvent = {
  type: 'approval.escalated',
  data: { ...subject, level: 1, repetition: 0, step, timeout_at },
};

describe('a request that no member can decide', () => {
  it('is denied or escalated at once, as the policy says', () => {
    given(wasOpened({ on_no_approver: 'deny' }))
      .when(nobody())
      .thenEvents(wasDenied([], { denial_reason: 'NO_ELIGIBLE_APPROVER' }));
    given(wasOpened({ escalation: [step] }))
      .when(nobody())
      .thenEvents(escalated);
    given(wasOpened({ escalation: [step] }), escalated)
      .when(nobody())
      .thenNothing();
    given(wasOpened()).when(nobody()).thenNothing();
  });

  it('is unchanged once a person has voted, it has ended, or its deadline is reached', () => {
    const opened = wasOpened({ on_no_approver: 'deny', approvals_required: 2 });
    given(opened, voted(voteOf(person()), [1, 2]))
      .when(nobody())
      .thenNothing();
    given(opened, cancelled).when(nobody()).thenNothing();
    given(opened).when(nobody(deadline)).thenNothing();
    given().when(nobody()).thenNothing();
    given(wasOpened({ on_no_approver: 'deny' }))
      .when(nobody(at(1), person()))
      .thenNothing();
  });
});

describe('whether people can decide', () => {
  const can = (opened: ApprovalEvent, ...people: Person[]) =>
    canBeApproved(fold(approvalDecider, [opened]) as KnownApproval, people);

  it('counts the people who may decide', () => {
    const two = wasOpened({ approvals_required: 2 });
    expect(can(two, person(), person())).toBe(true);
    expect(can(two, person(), person({ role: 'viewer' }))).toBe(false);
    expect(can(two, person(), person({ since: at(1) }))).toBe(false);
    const separated = wasOpened({ separation_of_duties: true }, { ...agent, owner_member_id: owner });
    expect(can(separated, person({ memberId: owner }))).toBe(false);
    expect(can(separated, person())).toBe(true);
  });

  it('needs a different person for every seat', () => {
    const groups = wasOpened({
      approver_groups: [
        { group: 'legal', count: 1 },
        { group: 'security', count: 1 },
      ],
    });
    const both = person({ groups: ['legal', 'security'] });
    expect(can(groups, both)).toBe(false);
    expect(can(groups, both, person({ groups: ['legal'] }))).toBe(true);
    expect(can(groups, both, person())).toBe(false);
  });
});
