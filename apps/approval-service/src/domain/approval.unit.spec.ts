import { deciderSpec } from '@agentlattice/decider';
import { requested } from '../../test/approval-fixture.js';
import { openedData } from '../outbound/approval-rows.js';
import type { ApprovalEvent } from './approval.js';
import { type ApprovalCommand, approvalDecider } from './approval-decider.js';

const opened = openedData(requested('org_01jd7e5sqcfnmrq9yh4qvxw2k3'));
const open = (changes: Partial<typeof opened> = {}): ApprovalCommand => ({
  type: 'OpenApproval',
  opened: { ...opened, ...changes },
});
const timeOut = (afterDeadlineMs: number): ApprovalCommand => ({
  type: 'TimeOut',
  now: new Date(Date.parse(opened.timeout_at) + afterDeadlineMs),
});
const wasOpened: ApprovalEvent = { type: 'approval.opened', data: opened };
const { approval_id, audit_event_id, agent, action_type, policy, timeout_at } = opened;
const timedOut: ApprovalEvent = {
  type: 'approval.timed_out',
  data: { approval_id, audit_event_id, agent, action_type, policy, timeout_at },
};
const given = deciderSpec(approvalDecider);

describe('an approval', () => {
  it('is opened once', () => {
    given().when(open()).thenEvents(wasOpened);
    given(wasOpened).when(open()).thenNothing();
    given(wasOpened, timedOut).when(open()).thenNothing();
  });

  it('is not opened again for another action', () => {
    given(wasOpened)
      .when(open({ action_digest: 'x'.repeat(43) }))
      .thenRefused('INTERNAL');
    given(wasOpened, timedOut)
      .when(open({ audit_event_id: 'evt_01jd7e5sqcfnmrq9yh4qvxw2k3' }))
      .thenRefused('INTERNAL');
  });

  it('times out at its deadline, not before, and once', () => {
    given(wasOpened).when(timeOut(-1)).thenNothing();
    given(wasOpened).when(timeOut(0)).thenEvents(timedOut);
    given(wasOpened, timedOut).when(timeOut(1)).thenNothing();
    given().when(timeOut(1)).thenNothing();
  });

  it('has no erasable values in its events', () =>
    expect(JSON.stringify([wasOpened, timedOut])).not.toMatch(/pr_size|users|metadata|data_accessed/));
});
