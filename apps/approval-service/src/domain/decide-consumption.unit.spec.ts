import {
  at,
  cancelled,
  given,
  grantExpiresAt,
  opened,
  person,
  subject,
  voteOf,
  wasApproved,
  wasDenied,
  wasOpened,
} from '../../test/approval-scenario.js';
import type { ConsumeGrant } from './decide-consumption.js';
import type { ApprovalEvent } from './approval.js';

const approved = wasApproved([voteOf(person())]);
const use = (changes: Partial<ConsumeGrant> = {}): ConsumeGrant => ({
  type: 'ConsumeGrant',
  grant: { digest: opened.action_digest, expiresAt: grantExpiresAt, jti: 'jti' },
  digest: opened.action_digest,
  agentSuspended: false,
  deniedBy: null,
  now: at(2_000),
  ...changes,
});
const consumed: ApprovalEvent = {
  type: 'approval.grant_consumed',
  data: { ...subject, action_digest: opened.action_digest, jti: 'jti' },
};

describe('a grant', () => {
  it('is consumed once', () => {
    given(wasOpened(), approved).when(use()).thenEvents(consumed);
    given(wasOpened(), approved, consumed).when(use()).thenRefused('GRANT_CONSUMED');
  });

  it('is valid until it expires, to the millisecond', () => {
    const just = (ms: number) => use({ now: new Date(grantExpiresAt.getTime() + ms) });
    given(wasOpened(), approved).when(just(-1)).thenEvents(consumed);
    given(wasOpened(), approved).when(just(0)).thenRefused('GRANT_EXPIRED');
  });

  it('is for one action', () => {
    const other = 'x'.repeat(43);
    given(wasOpened(), approved)
      .when(use({ digest: other }))
      .thenRefused('ACTION_MISMATCH');
    given(wasOpened(), approved)
      .when(use({ digest: other, grant: { ...use().grant, digest: other } }))
      .thenRefused('ACTION_MISMATCH');
  });

  it('is refused while its agent is suspended, or when a policy denies', () => {
    given(wasOpened(), approved)
      .when(use({ agentSuspended: true }))
      .thenRefused('AGENT_SUSPENDED');
    given(wasOpened(), approved)
      .when(use({ deniedBy: { reason: 'POLICY_DENIED', policyName: 'no' } }))
      .thenRefused('POLICY_DENIED');
    given(wasOpened(), approved)
      .when(use({ deniedBy: { reason: 'DELEGATION_SCOPE', policyName: null } }))
      .thenRefused('DELEGATION_SCOPE');
  });

  it('does not exist when the request was not approved', () => {
    for (const story of [[], [wasOpened()], [wasOpened(), wasDenied([])], [wasOpened(), cancelled]])
      given(...story)
        .when(use())
        .thenRefused('NOT_FOUND');
  });
});

describe('a request of an agent that was suspended with `pending: cancel`', () => {
  const end = (changes: object = {}) =>
    ({
      type: 'EndSuspended',
      agentId: subject.agent.id,
      eventId: 'evt_s',
      now: at(2_000),
      ...changes,
    }) as const;
  it('is cancelled once, and its event names the suspension', () => {
    const ended: ApprovalEvent = {
      type: 'approval.cancelled',
      data: { ...subject, suspension: { event_id: 'evt_s' } },
    };
    given(wasOpened()).when(end()).thenEvents(ended);
    given(wasOpened(), ended).when(end()).thenNothing();
  });
  it('is unchanged if it was decided, timed out, or belongs to another agent', () => {
    given(wasOpened(), approved).when(end()).thenNothing();
    given(wasOpened())
      .when(end({ now: new Date(opened.timeout_at) }))
      .thenNothing();
    given(wasOpened())
      .when(end({ agentId: 'agt_other' }))
      .thenNothing();
    given().when(end()).thenNothing();
  });
});
