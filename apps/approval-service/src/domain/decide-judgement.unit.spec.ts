import type { Vote } from '@agentlattice/contracts';
import { fold } from '@agentlattice/decider';
import {
  agent,
  approve,
  at,
  cancelled,
  deadline,
  given as givenHistory,
  grantExpiresAt,
  opened,
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
} from '../../test/approval-scenario.js';
import type { ApprovalEvent } from './approval.js';
import { type ApprovalCommand, approvalDecider } from './approval-decider.js';
import type { ApplyJudgement, Judgement } from './decide-judgement.js';

const next = { ...policy, version: policy.version + 1, hash: 'b'.repeat(64) };
const change = {
  event_id: 'evt_1',
  type: 'policy.updated',
  policy_id: policy.id,
  policy_name: policy.name,
  policy_version: next.version,
};
const terms = { ...opened.terms, approvals_required: 1 };
const apply = (judgement: Partial<Judgement>, now = at(1_000)): Omit<ApplyJudgement, 'version'> => ({
  type: 'ApplyJudgement',
  onRemoved: null,
  judgement: { decision: 'requested', denial_reason: null, policy: next, terms, ...judgement },
  change,
  grantExpiresAt,
  now,
});
/** The judgement was requested after this history. */
const given = (...history: ApprovalEvent[]) => ({
  when: (command: Omit<ApplyJudgement, 'version'> | Exclude<ApprovalCommand, ApplyJudgement>) =>
    givenHistory(...history).when(
      command.type === 'ApplyJudgement' ? { ...command, version: history.length } : command,
    ),
});
const allowed = apply({ decision: 'executed', terms: null });
const refused = (denial_reason: Judgement['denial_reason']) =>
  apply({ decision: 'denied', denial_reason, policy: null, terms: null });
const governed = (changes: Partial<typeof terms> = {}, votes: Vote[] = []): ApprovalEvent => ({
  type: 'approval.policy_changed',
  data: { ...subject, policy: next, previous_policy: policy, terms: { ...terms, ...changes }, change, votes },
});
const under = <E extends ApprovalEvent>(event: E): E => ({ ...event, data: { ...event.data, policy: next } });
const [anna, ben] = [person(), person()];

describe('a change of policies', () => {
  it('approves a request that is allowed now, with no votes of its own', () => {
    given(wasOpened()).when(allowed).thenEvents(wasApproved([], { change }));
    given(wasOpened({ approvals_required: 2 }), voted(voteOf(anna), [1, 2]))
      .when(allowed)
      .thenEvents(wasApproved([], { change }));
  });

  it('denies a request that is denied now, and says when a policy was tampered with', () => {
    const denied = (denial_reason: 'POLICY_CHANGED' | 'POLICY_TAMPERED' | 'DELEGATION_SCOPE') =>
      wasDenied([], { change, denial_reason });
    given(wasOpened()).when(refused('POLICY_DENIED')).thenEvents(denied('POLICY_CHANGED'));
    given(wasOpened()).when(refused('CONDITIONS_DENIED')).thenEvents(denied('POLICY_CHANGED'));
    given(wasOpened()).when(refused('POLICY_TAMPERED')).thenEvents(denied('POLICY_TAMPERED'));
    given(wasOpened()).when(refused('DELEGATION_SCOPE')).thenEvents(denied('DELEGATION_SCOPE'));
  });

  it('prefers `on_removed` of the change that removed the policy over that of the request’s terms', () => {
    const removed = (onRemoved: 'approve' | 'deny' | 'keep') => ({
      ...refused('POLICY_NOT_FOUND'),
      onRemoved,
    });
    const opened = wasOpened({ on_removed: 'approve' });
    given(opened)
      .when(removed('deny'))
      .thenEvents(wasDenied([], { change, denial_reason: 'POLICY_CHANGED' }));
    given(opened).when(removed('keep')).thenNothing();
    given(wasOpened({ on_removed: 'deny' }))
      .when(removed('approve'))
      .thenEvents(wasApproved([], { change }));
  });

  it('follows `on_removed` of the terms where no policy governs any more', () => {
    const removed = refused('POLICY_NOT_FOUND');
    given(wasOpened({ on_removed: 'approve' }))
      .when(removed)
      .thenEvents(wasApproved([], { change }));
    given(wasOpened({ on_removed: 'deny' }))
      .when(removed)
      .thenEvents(wasDenied([], { change, denial_reason: 'POLICY_CHANGED' }));
    given(wasOpened({ on_removed: 'keep' }))
      .when(removed)
      .thenNothing();
  });

  it('does not change a request that has ended, is past its deadline, or is governed as before', () => {
    for (const end of [wasApproved([voteOf(anna)]), wasDenied([]), cancelled, timedOut])
      given(wasOpened(), end).when(allowed).thenNothing();
    given(wasOpened())
      .when(apply({ decision: 'executed' }, deadline))
      .thenNothing();
    given(wasOpened()).when(apply({ policy })).thenNothing();
    given().when(allowed).thenNothing();
  });

  it('does nothing if the request changed while the policies judged it', () => {
    const asked = { ...allowed, version: 1 };
    givenHistory(wasOpened({ approvals_required: 2 }), voted(voteOf(anna), [1, 2]))
      .when(asked)
      .thenNothing();
    givenHistory(wasOpened({ approvals_required: 2 }))
      .when(asked)
      .thenEvents(wasApproved([], { change }));
  });

  it('changes the terms, but neither the deadline nor the escalation', () => {
    const promised = {
      timeout_ms: 7,
      escalation: [{ after: '5m', contacts: [], channels: [], repeat: null }],
    };
    given(wasOpened({ ...promised, approvals_required: 2 }))
      .when(apply({ terms: { ...terms, approvals_required: 3, on_removed: 'deny' } }))
      .thenEvents(governed({ ...promised, approvals_required: 3, on_removed: 'deny' }));
    given(wasOpened(), governed({ approvals_required: 2 }))
      .when(apply({}))
      .thenNothing();
  });

  it('ends the request if its votes are enough now', () => {
    given(wasOpened({ approvals_required: 2 }), voted(voteOf(anna), [1, 2]))
      .when(apply({}))
      .thenEvents(governed({}, [voteOf(anna)]), under(wasApproved([voteOf(anna)], { change })));
    const no = voteOf(ben, { decision: 'deny' });
    given(
      wasOpened({ approvals_required: 2, denials_required: 2 }),
      voted(voteOf(anna), [1, 2], [0, 2]),
      voted(no, [1, 2], [1, 2]),
    )
      .when(apply({}))
      .thenEvents(governed({}, [voteOf(anna), no]), under(wasDenied([voteOf(anna), no], { change })));
  });

  it('drops votes of people who could not vote under the new terms; they may vote again', () => {
    const legal = [{ group: 'legal', count: 1 }];
    given(wasOpened({ approvals_required: 2 }), voted(voteOf(anna), [1, 2]))
      .when(apply({ terms: { ...terms, approver_groups: legal } }))
      .thenEvents(governed({ approver_groups: legal }));
    const again = person({ memberId: anna.memberId, groups: ['legal'] });
    given(
      wasOpened({ approvals_required: 2 }),
      voted(voteOf(anna), [1, 2]),
      governed({ approver_groups: legal }),
    )
      .when(approve(again))
      .thenEvents(under(wasApproved([voteOf(again)])));
    for (const owned of [owner, null])
      given(
        wasOpened({ approvals_required: 2 }, { ...agent, owner_member_id: owned }),
        voted(voteOf(person({ memberId: owner })), [1, 2]),
      )
        .when(apply({ terms: { ...terms, separation_of_duties: true } }))
        .thenEvents({
          ...governed({ separation_of_duties: true }),
          data: {
            ...governed({ separation_of_duties: true }).data,
            agent: { ...agent, owner_member_id: owned },
          },
        } as ApprovalEvent);
  });

  it('turns an approval forever into an approval of this request once', () => {
    const admin = person({ role: 'admin' });
    const forever = voted(voteOf(admin, { forever_for: 'policy' }), [1, 2]);
    given(wasOpened({ approvals_required: 2 }), forever)
      .when(apply({}))
      .thenEvents(governed({}, [voteOf(admin)]), under(wasApproved([voteOf(admin)], { change })));
  });

  it('keeps the votes that its event names, even if a later release would derive others', () => {
    const [cast, named] = [voteOf(anna), voteOf(ben)];
    const history = [wasOpened({ approvals_required: 3 }), voted(cast, [1, 3])];
    expect(fold(approvalDecider, [...history, governed({}, [named])])).toMatchObject({ votes: [named] });
  });

  it('is replayed from an event of an earlier release, which names no votes, as that release did', () => {
    const admin = voteOf(person({ role: 'admin' }), { forever_for: 'policy' });
    const { votes: _votes, ...data } = governed({ approver_groups: [] }).data as { votes: unknown };
    const earlier = { type: 'approval.policy_changed', data } as ApprovalEvent;
    expect(
      fold(approvalDecider, [wasOpened({ approvals_required: 2 }), voted(admin, [1, 2]), earlier]),
    ).toMatchObject({ status: 'pending', votes: [{ ...admin, forever_for: null }] });
  });
});
