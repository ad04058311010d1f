import {
  at,
  deadline,
  given,
  person,
  voted,
  voteOf,
  wasOpened,
  withdrawn,
} from '../../test/approval-scenario.js';
import type { Person } from './may-decide.js';

const anna = person({ role: 'admin', groups: ['legal', 'sre'] });
const opened = wasOpened({ approvals_required: 3 });
const yes = voted(voteOf(anna, { groups: [] }), [1, 3]);
const changed = (now: Person | null, time = at(1_000)) =>
  ({ type: 'MemberChanged', memberId: anna.memberId, person: now, now: time }) as const;
const gone = withdrawn(anna, [0, 3]);

describe('the vote of a member who changed', () => {
  it('stays while the member could still cast it', () => {
    given(opened, yes).when(changed(anna)).thenNothing();
    given(opened, yes)
      .when(changed({ ...anna, role: 'member', groups: [] }))
      .thenNothing();
  });

  it('is withdrawn when the member was removed or only sees requests now, once', () => {
    given(opened, yes).when(changed(null)).thenEvents(gone);
    given(opened, yes)
      .when(changed({ ...anna, role: 'viewer' }))
      .thenEvents(gone);
    given(opened, yes, gone).when(changed(null)).thenNothing();
  });

  it('is withdrawn when it took a seat of a group that the member left', () => {
    const terms = { approvals_required: 3, approver_groups: [{ group: 'legal', count: 1 }] };
    const seated = voted(voteOf(anna, { groups: ['legal'] }), [1, 3]);
    given(wasOpened(terms), seated)
      .when(changed({ ...anna, groups: ['legal'] }))
      .thenNothing();
    given(wasOpened(terms), seated)
      .when(changed({ ...anna, groups: ['sre'] }))
      .thenEvents(gone);
  });

  it('for ever is withdrawn when the member is no administrator any more', () => {
    const forever = voted(voteOf(anna, { groups: [], forever_for: 'policy' }), [1, 3]);
    given(opened, forever).when(changed(anna)).thenNothing();
    given(opened, forever)
      .when(changed({ ...anna, role: 'member' }))
      .thenEvents(gone);
  });

  it('stays as it was after the deadline', () =>
    given(opened, yes).when(changed(null, deadline)).thenNothing());
});
