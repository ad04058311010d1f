import { typeid } from 'typeid-js';
import type { ApprovalEvent } from './approval.js';
import { approvalDecider } from './approval-decider.js';
import { mostWithdrawals } from './decide-vote.js';
import {
  agent,
  approve,
  at,
  cancelled,
  deadline,
  deny,
  given,
  owner,
  person,
  policy,
  subject,
  timedOut,
  voted,
  voteOf,
  wasApproved,
  wasDenied,
  wasOpened,
  withdraw,
  withdrawn,
} from '../../test/approval-scenario.js';

const [anna, ben, carl] = [person(), person(), person()];
const admin = person({ role: 'admin' });
const change = {
  event_id: 'evt_change',
  type: 'policy.updated',
  policy_id: policy.id,
  policy_name: policy.name,
  policy_version: policy.version + 1,
};

describe('one person decides', () => {
  it('approves or denies by one vote, which is part of the decision', () => {
    given(wasOpened())
      .when(approve(anna))
      .thenEvents(wasApproved([voteOf(anna)]));
    given(wasOpened())
      .when(deny(anna))
      .thenEvents(wasDenied([voteOf(anna, { decision: 'deny' })]));
  });

  it('is too late once the request has ended or its deadline is reached', () => {
    const decided = wasApproved([voteOf(anna)]);
    for (const command of [approve(ben), deny(ben), withdraw(anna)]) {
      given(wasOpened(), decided).when(command).thenRefused('APPROVAL_ALREADY_DECIDED');
      given(wasOpened(), wasDenied([])).when(command).thenRefused('APPROVAL_ALREADY_DECIDED');
      given(wasOpened(), cancelled).when(command).thenRefused('APPROVAL_ALREADY_DECIDED');
      given(wasOpened(), timedOut).when(command).thenRefused('APPROVAL_TIMED_OUT');
      given(wasOpened())
        .when({ ...command, now: deadline })
        .thenRefused('APPROVAL_TIMED_OUT');
    }
    given(wasOpened())
      .when(approve(anna, { now: new Date(deadline.getTime() - 1) }))
      .thenEvents(wasApproved([voteOf(anna, { at: new Date(deadline.getTime() - 1).toISOString() })]));
  });

  it('is refused in the order 404, 403, 409', () => {
    const viewer = person({ role: 'viewer' });
    for (const command of [approve(viewer), deny(viewer), withdraw(viewer)]) {
      given().when(command).thenRefused('NOT_FOUND');
      given(wasOpened(), timedOut).when(command).thenRefused('FORBIDDEN');
    }
  });
});

describe('a person who may decide', () => {
  it('was a member before the request was made', () => {
    given(wasOpened())
      .when(approve(person({ since: at(1) })))
      .thenRefused('FORBIDDEN');
    const justThere = person({ since: at(0) });
    given(wasOpened())
      .when(approve(justThere))
      .thenEvents(wasApproved([voteOf(justThere)]));
  });

  it('is in one of the groups that the policy names', () => {
    const opened = wasOpened({ approver_groups: [{ group: 'security', count: 1 }] });
    const outsider = person({ groups: ['sales'] });
    const insider = person({ groups: ['sales', 'security'] });
    given(opened).when(approve(outsider)).thenRefused('FORBIDDEN');
    given(opened).when(deny(outsider)).thenRefused('FORBIDDEN');
    given(opened)
      .when(approve(insider))
      .thenEvents(wasApproved([voteOf(insider, { groups: ['security'] })]));
  });

  it('is not the owner of the agent where duties are separated', () => {
    const self = person({ memberId: owner });
    const owned = { ...agent, owner_member_id: owner };
    const separated = { separation_of_duties: true, policy_author: null };
    given(wasOpened(separated, owned)).when(approve(self)).thenRefused('SELF_APPROVAL');
    given(wasOpened(separated, owned)).when(deny(self)).thenRefused('SELF_APPROVAL');
    given(wasOpened(separated, agent)).when(approve(anna)).thenRefused('FORBIDDEN');
    given(wasOpened(separated, agent))
      .when(approve(admin))
      .thenEvents(wasApproved([voteOf(admin)]));
    const { policy_author: _, ...unknown } = separated;
    // Only known people are excluded; an administrator may decide.
    given(wasOpened(unknown, agent))
      .when(approve(admin))
      .thenEvents(wasApproved([voteOf(admin)]));
    given(wasOpened(unknown, agent)).when(approve(anna)).thenRefused('FORBIDDEN');
    const written = { ...separated, policy_author: admin.memberId };
    given(wasOpened(written, agent)).when(approve(admin)).thenRefused('FORBIDDEN');
    given(wasOpened(written, agent)).when(deny(admin)).thenRefused('FORBIDDEN');
    given(wasOpened({ ...separated, policy_author: anna.memberId }, agent))
      .when(approve(admin))
      .thenEvents(wasApproved([voteOf(admin)]));
  });
});

describe('the maker of a key', () => {
  const separated = { separation_of_duties: true, policy_author: null };
  const owned = { ...agent, owner_member_id: owner };
  const key = { id: typeid('key').toString(), made_by: anna.memberId };

  it('does not decide a request made with it where duties are separated, for any owner of the agent', () => {
    given(wasOpened(separated, owned, key))
      .when(approve(anna))
      .thenRefused('SELF_APPROVAL');
    given(wasOpened(separated, owned, key))
      .when(deny(anna))
      .thenRefused('SELF_APPROVAL');
    given(wasOpened(separated, owned, key))
      .when(approve(ben))
      .thenEvents(wasApproved([voteOf(ben)], {}, owned));
    const made = { ...key, made_by: admin.memberId };
    given(wasOpened(separated, agent, made))
      .when(approve(admin))
      .thenRefused('SELF_APPROVAL');
    given(wasOpened({}, owned, key))
      .when(approve(anna))
      .thenEvents(wasApproved([voteOf(anna)], {}, owned));
  });

  it('does not decide either if the key was made with another one, and neither does a person who was shown that one', () => {
    const lent = { ...key, shown_to: [anna.memberId, ben.memberId] };
    given(wasOpened(separated, owned, lent))
      .when(approve(ben))
      .thenRefused('SELF_APPROVAL');
    given(wasOpened(separated, owned, lent))
      .when(approve(carl))
      .thenEvents(wasApproved([voteOf(carl)], {}, owned));
  });

  it('does not decide with a colleague’s key what they may not decide with their own where duties are separated', () => {
    const lentBy = (holder: string) => ({
      id: typeid('key').toString(),
      made_by: carl.memberId,
      shown_to: [carl.memberId, holder],
    });
    for (const barred of [owner, anna.memberId]) {
      given(wasOpened(separated, owned, key))
        .when(approve(ben, { key: lentBy(barred) }))
        .thenRefused('SELF_APPROVAL');
      given(wasOpened({ ...separated, approvals_required: 2 }, owned, key), voted(voteOf(ben), [1, 2]))
        .when(approve(admin, { key: { id: typeid('key').toString(), made_by: barred } }))
        .thenRefused('SELF_APPROVAL');
      const lent = lentBy(barred);
      given(wasOpened({}, owned, key))
        .when(approve(ben, { key: lent }))
        .thenEvents(wasApproved([voteOf(ben, { key: lent })], {}, owned));
    }
  });

  it('counts once with a key that looks like the maker’s own but was made with a borrowed one', () => {
    const laundered = {
      id: typeid('key').toString(),
      made_by: anna.memberId,
      shown_to: [anna.memberId, ben.memberId],
    };
    const his = voted(voteOf(ben), [1, 2]);
    given(wasOpened({ approvals_required: 2 }), his)
      .when(approve(anna, { key: laundered }))
      .thenEvents(voted(voteOf(anna, { key: laundered }), [1, 2]));
  });

  it('loses the vote when duties begin to be separated', () => {
    const opened = wasOpened({ approvals_required: 2 }, owned, key);
    const terms = { ...(opened.data as { terms: object }).terms, ...separated } as never;
    const changed: ApprovalEvent = {
      type: 'approval.policy_changed',
      data: { ...subject, agent: owned, previous_policy: policy, terms, change },
    };
    const one = voted(voteOf(anna), [1, 2]);
    const both = [voteOf(ben), voteOf(carl)];
    given(opened, one, voted(voteOf(ben), [1, 2]), changed)
      .when(approve(carl))
      .thenEvents(wasApproved(both, {}, owned));
    const underOwned = (event: ApprovalEvent) =>
      ({ ...event, data: { ...event.data, agent: owned } }) as ApprovalEvent;
    // So does a vote that the maker may have cast for a colleague.
    const lent = voteOf(ben, { key: { id: typeid('key').toString(), made_by: anna.memberId } });
    given(opened, voted(lent, [1, 2]), changed)
      .when(approve(carl))
      .thenEvents(underOwned(voted(voteOf(carl), [1, 2])));
  });

  it('is recorded in the vote, and the maker’s own vote counts instead of one cast with it', () => {
    const borrowed = { id: typeid('key').toString(), made_by: anna.memberId };
    const opened = wasOpened({ approvals_required: 2 });
    const his = voted(voteOf(ben, { key: borrowed }), [1, 2]);
    given(opened)
      .when(approve(ben, { key: borrowed }))
      .thenEvents(his);
    given(opened, his)
      .when(approve(anna))
      .thenEvents(voted(voteOf(anna), [1, 2]));
    given(opened, his, voted(voteOf(anna), [1, 2]))
      .when(withdraw(anna))
      .thenEvents(withdrawn(anna, [1, 2]));
    given(opened, his)
      .when(approve(carl))
      .thenEvents(wasApproved([voteOf(ben, { key: borrowed }), voteOf(carl)]));
  });

  it('does not approve forever by a vote that does not count', () => {
    const borrowed = { id: typeid('key').toString(), made_by: anna.memberId };
    const forever = voteOf(admin, { key: borrowed, forever_for: 'policy' });
    given(wasOpened({ approvals_required: 2 }), voted(forever, [1, 2]), voted(voteOf(anna), [1, 2]))
      .when(approve(carl))
      .thenEvents(wasApproved([forever, voteOf(anna), voteOf(carl)]));
  });
});

describe('a quorum', () => {
  const opened = wasOpened({ approvals_required: 2, denials_required: 2 });
  const one = voted(voteOf(anna), [1, 2], [0, 2]);

  it('needs that many different people', () => {
    given(opened).when(approve(anna)).thenEvents(one);
    given(opened, one).when(approve(anna)).thenRefused('ALREADY_VOTED');
    given(opened, one).when(deny(anna)).thenRefused('ALREADY_VOTED');
    given(opened, one)
      .when(approve(ben))
      .thenEvents(wasApproved([voteOf(anna), voteOf(ben)]));
  });

  it('counts denials apart from approvals', () => {
    const no = voted(voteOf(ben, { decision: 'deny' }), [1, 2], [1, 2]);
    given(opened, one).when(deny(ben)).thenEvents(no);
    given(opened, one, no)
      .when(deny(carl))
      .thenEvents(
        wasDenied([voteOf(anna), voteOf(ben, { decision: 'deny' }), voteOf(carl, { decision: 'deny' })]),
      );
  });

  it('lets a vote be withdrawn and cast again', () => {
    const back = withdrawn(anna, [0, 2]);
    given(opened).when(withdraw(anna)).thenRefused('NO_VOTE');
    given(wasOpened({ approvals_required: 2 }), one)
      .when(withdraw(anna))
      .thenEvents(back);
    given(opened, one, back).when(approve(anna)).thenEvents(one);
    given(opened, one, back)
      .when(approve(ben))
      .thenEvents(voted(voteOf(ben), [1, 2], [0, 2]));
  });

  it('limits how often a person withdraws: then the last vote stands', () => {
    const own = wasOpened({ approvals_required: 2 });
    const one = voted(voteOf(anna), [1, 2]);
    const back = withdrawn(anna, [0, 2]);
    const rounds = Array.from({ length: mostWithdrawals }, () => [one, back]).flat();
    given(own, ...rounds.slice(0, -1))
      .when(withdraw(anna))
      .thenEvents(back);
    given(own, ...rounds)
      .when(approve(anna))
      .thenEvents(one);
    given(own, ...rounds, one)
      .when(withdraw(anna))
      .thenRefused('TOO_MANY_WITHDRAWALS');
    const his = voted(voteOf(ben), [1, 2]);
    given(own, ...rounds, his)
      .when(withdraw(ben))
      .thenEvents(withdrawn(ben, [0, 2]));
  });

  it('needs a different person for every seat of a group', () => {
    const both = person({ groups: ['legal', 'security'] });
    const legal = person({ groups: ['legal'] });
    const groups = wasOpened({
      approver_groups: [
        { group: 'legal', count: 1 },
        { group: 'security', count: 1 },
      ],
    });
    given(groups)
      .when(approve(both))
      .thenEvents(voted(voteOf(both), [1, 2]));
    given(groups, voted(voteOf(both), [1, 2]))
      .when(approve(legal))
      .thenEvents(wasApproved([voteOf(both), voteOf(legal)]));
    given(groups, voted(voteOf(legal), [1, 2]))
      .when(approve(person({ memberId: anna.memberId, groups: ['legal'] })))
      .thenEvents(voted(voteOf(anna, { groups: ['legal'] }), [2, 2]));
  });
});

describe('approving forever', () => {
  it('needs an administrator', () =>
    given(wasOpened())
      .when(approve(anna, { forever: 'policy' }))
      .thenRefused('FORBIDDEN'));

  it('is refused when another version governs than the one that was read', () => {
    const version = policy.version;
    given(wasOpened())
      .when(approve(admin, { forever: 'policy', policyVersion: version + 1 }))
      .thenRefused('POLICY_CHANGED');
    given(wasOpened())
      .when(approve(admin, { forever: 'policy', policyVersion: version }))
      .thenEvents(
        wasApproved([voteOf(admin, { forever_for: 'policy' })], {
          scope: 'forever',
          forever_for: 'policy',
          forever_by: admin.memberId,
        }),
      );
  });

  it('takes effect when the quorum is reached, by any person who completes it', () => {
    const opened = wasOpened({ approvals_required: 2 });
    const forever = voteOf(admin, { forever_for: 'action_type' });
    given(opened)
      .when(approve(admin, { forever: 'action_type' }))
      .thenEvents(voted(forever, [1, 2]));
    given(opened, voted(forever, [1, 2]))
      .when(approve(anna))
      .thenEvents(
        wasApproved([forever, voteOf(anna)], {
          scope: 'forever',
          forever_for: 'action_type',
          forever_by: admin.memberId,
        }),
      );
    given(opened, voted(forever, [1, 2]))
      .when(deny(anna))
      .thenEvents(wasDenied([forever, voteOf(anna, { decision: 'deny' })]));
  });
});

describe('cancelling', () => {
  const cancel = (agentId: string, now = at(1)) => ({ type: 'Cancel', agentId, now }) as const;

  it('is for the requesting agent; another agent does not learn of the request', () => {
    given(wasOpened()).when(cancel(agent.id)).thenEvents(cancelled);
    given(wasOpened()).when(cancel('agt_other')).thenRefused('NOT_FOUND');
    given().when(cancel(agent.id)).thenRefused('NOT_FOUND');
  });

  it('is too late once the request has ended', () => {
    given(wasOpened(), wasDenied([])).when(cancel(agent.id)).thenRefused('APPROVAL_ALREADY_DECIDED');
    given(wasOpened(), cancelled).when(cancel(agent.id)).thenRefused('APPROVAL_ALREADY_DECIDED');
    given(wasOpened()).when(cancel(agent.id, deadline)).thenRefused('APPROVAL_TIMED_OUT');
  });
});

it('a vote keeps how long the person saw the request, where the client says it', () => {
  const [mia, tom] = [person(), person()];
  const opened = approvalDecider.evolve({ status: 'none' }, wasOpened({ approvals_required: 2 }));
  const [seen] = approvalDecider.decide(approve(mia, { seenMs: 3_000 }), opened);
  expect(seen).toMatchObject({ type: 'approval.vote_cast', data: { vote: { seen_ms: 3_000 } } });
  const [unsaid] = approvalDecider.decide(approve(tom), opened);
  expect(unsaid).not.toHaveProperty('data.vote.seen_ms');
  expect(approvalDecider.decide({ ...deny(tom), seenMs: 0 }, opened)).toMatchObject([
    { type: 'approval.denied', data: { votes: [{ seen_ms: 0 }] } },
  ]);
});
