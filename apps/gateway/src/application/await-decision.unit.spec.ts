import { type ApprovalStatus, Refused, Unavailable, type WakeHint } from '@agentlattice/contracts';
import { type AwaitDecisionPorts, makeAwaitDecision } from './await-decision.js';

const asked = { org_id: 'org_x', approval_id: 'apr_x', agent_id: null };
const as = (status: ApprovalStatus['status']): ApprovalStatus => ({
  status,
  approval_id: asked.approval_id,
  reason: null,
  denial_reason: null,
  resolved_by: null,
  resolved_at: null,
  timeout_at: '2026-11-25T08:30:00.000Z',
  grant: null,
});
const never = new AbortController().signal;

/** Wake-ups on demand, and the result of each reading; the last result repeats. */
function waiting(...reads: (ApprovalStatus | Error)[]) {
  const listening = new Set<(hint: WakeHint | null) => void>();
  const done: string[] = [];
  const state = { ended: false, pendingMs: 0 };
  const ports: AwaitDecisionPorts = {
    wakes: {
      get ended() {
        return state.ended;
      },
      pendingFor: () => state.pendingMs,
      of: () => {
        done.push('listen');
        const { promise: woken, resolve } = Promise.withResolvers<WakeHint | null>();
        listening.add(resolve);
        return { woken, forget: () => void listening.delete(resolve) };
      },
    },
    read: () => {
      done.push('read');
      const next = reads.length > 1 ? reads.shift() : reads[0];
      return next instanceof Error ? Promise.reject(next) : Promise.resolve(next ?? as('pending'));
    },
  };
  const wake = (hint: WakeHint | null = null) => listening.forEach((resolve) => resolve(hint));
  return { wait: makeAwaitDecision(ports), wake, done, listening, state };
}

/** Lets everything run that needs no time. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('waiting for a decision', () => {
  it('listens before it reads, so that no decision in between is missed', async () => {
    const { wait, done } = waiting(as('approved'));
    expect(await wait(asked, 60_000, never)).toMatchObject({ status: 'approved' });
    expect(done).toEqual(['listen', 'read']);
  });

  it('reads once when it has no time to wait', async () => {
    const { wait, done } = waiting(as('pending'));
    expect(await wait(asked, 0, never)).toMatchObject({ status: 'pending' });
    expect(done).toEqual(['listen', 'read']);
  });

  it('reads again when it is woken, and goes on waiting while the request is open', async () => {
    const { wait, wake, done } = waiting(as('pending'), as('escalated'), as('denied'));
    const held = wait(asked, 60_000, never);
    for (const reads of [1, 2]) {
      await settle();
      expect(done.filter((step) => step === 'read')).toHaveLength(reads);
      wake();
    }
    expect(await held).toMatchObject({ status: 'denied' });
  });

  it('takes the outcome from the wake-up, once the caller was shown the request', async () => {
    const { wait, wake, done } = waiting(as('pending'));
    const held = wait(asked, 60_000, never);
    // Even before the first reading came back.
    wake({ org_id: asked.org_id, ended: as('approved') });
    expect(await held).toMatchObject({ status: 'approved' });
    expect(done).toEqual(['listen', 'read']);
    const refused = waiting(new Refused('NOT_FOUND', 'no such request'));
    const foreign = refused.wait(asked, 60_000, never);
    refused.wake({ org_id: asked.org_id, ended: as('approved') });
    await expect(foreign).rejects.toThrow('no such request');
  });

  it('reads the state when a wake-up is of another workspace or has no outcome', async () => {
    const { wait, wake, done } = waiting(as('pending'), as('pending'), as('denied'));
    const held = wait(asked, 60_000, never);
    await settle();
    wake({ org_id: 'org_y', ended: as('approved') });
    await settle();
    wake({ org_id: asked.org_id, ended: as('escalated') });
    expect(await held).toMatchObject({ status: 'denied' });
    expect(done.filter((step) => step === 'read')).toHaveLength(3);
  });

  it('ends with the state as it is when its time is over, when the caller is gone, and when the gateway stops', async () => {
    expect(await waiting(as('pending')).wait(asked, 5, never)).toMatchObject({ status: 'pending' });
    const gone = new AbortController();
    const left = waiting(as('pending')).wait(asked, 60_000, gone.signal);
    await settle();
    gone.abort();
    expect(await left).toMatchObject({ status: 'pending' });
    const stopping = waiting(as('pending'));
    const held = stopping.wait(asked, 60_000, never);
    await settle();
    stopping.state.ended = true;
    stopping.wake();
    expect(await held).toMatchObject({ status: 'pending' });
  });

  it('goes on when a service is away for a moment, and ends when the request does not exist', async () => {
    const away = new Unavailable('away');
    const { wait, wake } = waiting(as('pending'), away, as('approved'));
    const held = wait(asked, 60_000, never);
    await settle();
    wake();
    await settle();
    wake();
    expect(await held).toMatchObject({ status: 'approved' });
    await expect(waiting(away).wait(asked, 60_000, never)).rejects.toThrow(Unavailable);
  });

  it('does not read a request that is known to be pending until a wake-up comes', async () => {
    const { wait, wake, done, state } = waiting(as('denied'));
    state.pendingMs = 10_000;
    const held = wait(asked, 60_000, never);
    await settle();
    expect(done).toEqual(['listen']);
    wake({ org_id: asked.org_id, ended: as('approved') });
    expect(await held).toMatchObject({ status: 'approved' });
    const unclear = wait(asked, 60_000, never);
    state.pendingMs = 0;
    wake();
    expect(await unclear).toMatchObject({ status: 'denied' });
    expect(done).toEqual(['listen', 'listen', 'listen', 'read']);
  });

  it('reads a request when it is no longer known to be pending, and when the time is over', async () => {
    const late = waiting(as('approved'));
    late.state.pendingMs = 5;
    setImmediate(() => (late.state.pendingMs = 0));
    expect(await late.wait(asked, 60_000, never)).toMatchObject({ status: 'approved' });
    const over = waiting(as('pending'));
    over.state.pendingMs = 10_000;
    expect(await over.wait(asked, 5, never)).toMatchObject({ status: 'pending' });
    expect(over.done.filter((step) => step === 'read')).toHaveLength(1);
  });

  it('goes on waiting for a request that was known to be pending while the service is away', async () => {
    const { wait, wake, state } = waiting(new Unavailable('away'), as('approved'));
    state.pendingMs = 10_000;
    const held = wait(asked, 60_000, never);
    await settle();
    state.pendingMs = 0;
    wake();
    await settle();
    wake();
    expect(await held).toMatchObject({ status: 'approved' });
  });

  it('leaves no listener behind', async () => {
    const { wait, listening } = waiting(as('approved'));
    await wait(asked, 60_000, never);
    expect(listening.size).toBe(0);
  });
});
