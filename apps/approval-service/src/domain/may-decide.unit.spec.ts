import { typeid } from 'typeid-js';
import {
  agent,
  approve,
  deny,
  given,
  person,
  voted,
  voteOf,
  wasApproved,
  wasOpened,
} from '../../test/approval-scenario.js';

const admin = person({ role: 'admin' });

describe('a possible author of the policy’s version', () => {
  const second = person({ role: 'admin' });
  const third = person({ role: 'admin' });
  const written = {
    separation_of_duties: true,
    policy_author: admin.memberId,
    policy_authors: [admin.memberId, second.memberId],
  };

  it('does not decide for an agent without owner, and neither does any holder of the key that wrote the version', () => {
    for (const author of [admin, second]) {
      given(wasOpened(written, agent)).when(approve(author)).thenRefused('FORBIDDEN');
      given(wasOpened(written, agent)).when(deny(author)).thenRefused('FORBIDDEN');
    }
    given(wasOpened(written, agent))
      .when(approve(third))
      .thenEvents(wasApproved([voteOf(third)]));
    const nobody = { ...written, policy_author: null, policy_authors: [] };
    given(wasOpened(nobody, agent))
      .when(approve(admin))
      .thenEvents(wasApproved([voteOf(admin)]));
  });

  it('does not decide with a colleague’s key that they hold', () => {
    const key = { id: typeid('key').toString(), made_by: second.memberId };
    given(wasOpened(written, agent)).when(approve(third, { key })).thenRefused('FORBIDDEN');
  });

  it('excludes no person if the author is unknown', () => {
    const { policy_author: _a, policy_authors: _b, ...unknown } = written;
    const one = voted(voteOf(admin), [1, 2]);
    given(wasOpened({ ...unknown, approvals_required: 2 }, agent))
      .when(approve(admin))
      .thenEvents(one);
    given(wasOpened({ ...unknown, approvals_required: 2 }, agent), one)
      .when(approve(second))
      .thenEvents(wasApproved([voteOf(admin), voteOf(second)]));
  });
});
