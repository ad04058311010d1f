import { type ApprovalReference, OpenedRequests } from './opened-requests.js';

const mine: ApprovalReference = { org_id: 'org_a', approval_id: 'apr_1', agent_id: 'agt_a' };

describe('requests that this gateway opened a moment ago', () => {
  it('are pending for ten seconds, for the agent and for operators of the workspace', () => {
    const requests = new OpenedRequests();
    expect(requests.pendingFor(mine, 0)).toBe(0);
    requests.note(mine, 0);
    expect(requests.pendingFor(mine, 4_000)).toBe(6_000);
    expect(requests.pendingFor({ ...mine, agent_id: null }, 4_000)).toBe(6_000);
    expect(requests.pendingFor(mine, 10_000)).toBe(0);
  });

  it('are unknown to others', () => {
    const requests = new OpenedRequests();
    requests.note(mine, 0);
    expect(requests.pendingFor({ ...mine, agent_id: 'agt_b' }, 1)).toBe(0);
    expect(requests.pendingFor({ ...mine, org_id: 'org_b' }, 1)).toBe(0);
  });

  it('are no longer known to be pending after a wake-up, also one that came before the answer', () => {
    const requests = new OpenedRequests();
    requests.note(mine, 0);
    requests.noteWakeUp(mine.approval_id, 1);
    expect(requests.pendingFor(mine, 2)).toBe(0);
    requests.noteWakeUp('apr_2', 3);
    requests.note({ ...mine, approval_id: 'apr_2' }, 4);
    expect(requests.pendingFor({ ...mine, approval_id: 'apr_2' }, 5)).toBe(0);
  });

  it('are not known to be pending while wake-ups may have been lost', () => {
    const requests = new OpenedRequests();
    requests.note(mine, 0);
    requests.forgetAll(1);
    expect(requests.pendingFor(mine, 2)).toBe(0);
    requests.note(mine, 3);
    expect(requests.pendingFor(mine, 4)).toBe(0);
    requests.note(mine, 10_001);
    expect(requests.pendingFor(mine, 10_002)).toBe(9_999);
  });

  it('are not trusted after more wake-ups than are remembered', () => {
    const requests = new OpenedRequests();
    requests.noteWakeUp(mine.approval_id, 0);
    for (let i = 0; i < 20_000; i++) requests.noteWakeUp(`apr_other_${String(i)}`, 1);
    requests.note(mine, 2);
    expect(requests.pendingFor(mine, 3)).toBe(0);
  });
});
