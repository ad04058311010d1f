import { eventSubject, wakeSubject } from '@agentlattice/contracts';
import { connectNats } from '@agentlattice/messaging';
import { startNats, type TestNats } from '@agentlattice/testkit';
import type { NatsConnection } from '@nats-io/transport-node';
import { DecisionWakes } from '../application/decision-wakes.js';
import { WakeUpsSubscriber } from './wake-ups.subscriber.js';

const approval = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3';
const other = 'apr_01jd7e5sqcfnmrq9yh4qvxw2k4';
const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';

describe('wake-ups of waiting agents', () => {
  let nats: TestNats;
  let gateway: NatsConnection;
  let deciding: NatsConnection;
  let wakes: DecisionWakes;
  let subscriber: WakeUpsSubscriber;

  beforeAll(async () => {
    nats = await startNats();
    gateway = await connectNats({ url: nats.natsUrl('gateway'), service: 'gateway', instance: 'g1' });
    deciding = await connectNats({
      url: nats.natsUrl('approval-service'),
      service: 'approval-service',
      instance: 'a1',
    });
    wakes = new DecisionWakes();
    subscriber = new WakeUpsSubscriber(gateway, wakes);
    await subscriber.start();
  });
  afterAll(async () => {
    subscriber.stop();
    wakes.stop();
    await Promise.all([gateway.close(), deciding.close()]);
    await nats.stop();
  });

  const heard = async (approvalId: string, send: () => void) => {
    const wake = wakes.of(approvalId);
    let told = false;
    void wake.woken.then(() => (told = true));
    send();
    await deciding.flush();
    await gateway.flush();
    await new Promise((resolve) => setImmediate(resolve));
    wake.forget();
    return told;
  };

  it('come from the deciding service itself', async () =>
    expect(await heard(approval, () => deciding.publish(wakeSubject(approval)))).toBe(true));

  it('come from the approval’s event when the wake-up was lost', async () => {
    const event = JSON.stringify({ events: [{ stream_id: approval }] });
    expect(await heard(approval, () => deciding.publish(eventSubject(org, 'approval.approved'), event))).toBe(
      true,
    );
  });

  it('contain the outcome of the request, unless that cannot be read', async () => {
    const ended = {
      status: 'approved',
      approval_id: approval,
      reason: null,
      denial_reason: null,
      resolved_by: null,
      resolved_at: '2026-11-25T08:30:00.000Z',
      timeout_at: '2026-11-25T08:31:00.000Z',
      grant: null,
    };
    const hintFrom = async (payload: string) => {
      const wake = wakes.of(approval);
      deciding.publish(wakeSubject(approval), payload);
      const hint = await wake.woken;
      wake.forget();
      return hint;
    };
    expect(await hintFrom(JSON.stringify({ org_id: org, ended }))).toEqual({ org_id: org, ended });
    expect(await hintFrom('')).toBeNull();
    expect(await hintFrom('{')).toBeNull();
    expect(
      await hintFrom(JSON.stringify({ org_id: org, ended: { ...ended, status: 'granted' } })),
    ).toBeNull();
    expect(
      await hintFrom(JSON.stringify({ org_id: org, ended: { ...ended, approval_id: other } })),
    ).toBeNull();
  });

  it('end the time in which a request of this gateway is known to be pending; its opening does not', async () => {
    const asked = { org_id: org, approval_id: 'apr_01jd7e5sqcfnmrq9yh4qvxw2k5', agent_id: null };
    const event = JSON.stringify({ events: [{ stream_id: asked.approval_id }] });
    wakes.noteOpened(asked);
    expect(
      await heard(asked.approval_id, () => deciding.publish(eventSubject(org, 'approval.opened'), event)),
    ).toBe(false);
    expect(wakes.pendingFor(asked)).toBeGreaterThan(0);
    await heard(asked.approval_id, () => deciding.publish(wakeSubject(asked.approval_id)));
    expect(wakes.pendingFor(asked)).toBe(0);
    // Its wake-up has just come.
    wakes.noteOpened(asked);
    expect(wakes.pendingFor(asked)).toBe(0);
  });

  it('wake no other request', async () =>
    expect(await heard(approval, () => deciding.publish(wakeSubject(other)))).toBe(false));

  it('cannot be sent by another service', async () => {
    const ledger = await connectNats({
      url: nats.natsUrl('audit-ledger'),
      service: 'audit-ledger',
      instance: 'l1',
    });
    expect(await heard(approval, () => ledger.publish(wakeSubject(approval)))).toBe(false);
    await ledger.close();
  });

  it('come for all requests after the connection was lost', async () => {
    const asked = { org_id: org, approval_id: other.replace('4', '5'), agent_id: null };
    wakes.noteOpened(asked);
    expect(wakes.pendingFor(asked)).toBeGreaterThan(0);
    const wake = wakes.of(approval);
    nats.kill();
    await wake.woken;
    wake.forget();
    expect(wakes.pendingFor(asked)).toBe(0);
  });

  it('end when the gateway stops, so that no caller waits for a wake-up that cannot come', async () => {
    const stopping = new DecisionWakes();
    const waiting = stopping.of(approval).woken;
    stopping.stop();
    await waiting;
    await stopping.of(approval).woken;
    expect(stopping.ended).toBe(true);
  });
});
