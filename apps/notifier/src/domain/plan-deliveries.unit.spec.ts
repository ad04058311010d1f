import { readEvent, wireEvent } from '@agentlattice/contracts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outgoingEventOf } from '@agentlattice/contracts';
import { endsRequest, planDeliveries, type Subscriber } from './plan-deliveries.js';

const released = join(import.meta.dirname, '../../../../libs/contracts/golden/released');
const golden = (file: string) =>
  readEvent(wireEvent.parse(JSON.parse(readFileSync(join(released, file), 'utf8'))));
const planOf = (event: ReturnType<typeof golden>, channels: Subscriber[] = []) => {
  const outgoing = outgoingEventOf(event);
  if (outgoing === null) throw new Error('it stays inside');
  return planDeliveries(event, outgoing, channels);
};
const channel = (name: string, events: Subscriber['events']): Subscriber => ({
  channel_id: `chn_${name}`,
  type: 'webhook',
  events,
});
const opened = golden('0.1.0/approval.opened.v1.json');
const escalated = golden('0.2.0/approval.escalated.v1.json');

describe('the receivers of an event', () => {
  it('of a request are the channels that subscribe to it, with quick retries while it is pending', () => {
    if (opened.type !== 'approval.opened') throw new Error('it is golden');
    const plan = planOf(opened, [channel('a', ['approval.requested']), channel('b', ['approval.denied'])]);
    const { approval_id, timeout_at: pending_until } = opened.data;
    expect(plan).toEqual([
      { channel_id: 'chn_a', type: 'webhook', target: 'chn_a', approval_id, pending_until },
    ]);
  });

  it('of an escalation are the subscribers and the channels and contacts of its step, each once', () => {
    if (escalated.type !== 'approval.escalated') throw new Error('it is golden');
    const step = {
      ...escalated.data.step,
      contacts: ['Ada@Example.com', 'ada@example.com', 'bob@example.com'],
      channels: ['chn_named', 'chn_both', 'chn_elsewhere'],
    };
    const plan = planOf({ ...escalated, data: { ...escalated.data, step } }, [
      channel('named', []),
      channel('both', ['approval.escalated']),
      channel('other', ['approval.requested']),
    ]);
    expect(plan.map(({ type, channel_id, target }) => [type, channel_id, target.toLowerCase()])).toEqual([
      ['webhook', 'chn_named', 'chn_named'],
      ['webhook', 'chn_both', 'chn_both'],
      ['email', null, 'ada@example.com'],
      ['email', null, 'bob@example.com'],
    ]);
    for (const { pending_until } of plan) expect(pending_until).toBe(escalated.data.timeout_at);
  });

  it('of an end have the long schedule, because no request is pending', () => {
    const plan = planOf(golden('0.1.0/approval.timed_out.v1.json'), [channel('a', ['approval.timed_out'])]);
    expect(plan).toMatchObject([
      { channel_id: 'chn_a', pending_until: null, approval_id: expect.any(String) },
    ]);
  });

  it('of an event without a request have no order and no deadline', () => {
    const plan = planOf(golden('0.1.0/policy.updated.v1.json'), [channel('a', ['policy.changed'])]);
    expect(plan).toMatchObject([{ approval_id: null, pending_until: null }]);
  });
});

it('a request ends by a decision, by its deadline or by its agent', () => {
  for (const type of ['approved', 'denied', 'auto_resolved', 'timed_out', 'cancelled'] as const)
    expect(endsRequest(`approval.${type}`)).toBe(true);
  for (const type of ['approval.requested', 'approval.escalated', 'policy.changed'] as const)
    expect(endsRequest(type)).toBe(false);
});
