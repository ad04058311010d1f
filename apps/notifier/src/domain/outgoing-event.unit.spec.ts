import { eventTypes, type OutgoingEvent, outgoingEvent, readEvent, wireEvent } from '@agentlattice/contracts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { outgoingEventOf } from './outgoing-event.js';

/** decisions: "goes out as", for the golden events; null stays inside. */
const goesOutAs: Record<(typeof eventTypes)[number], OutgoingEvent['type'] | null> = {
  'action.executed': 'action.executed',
  'action.denied': 'action.denied',
  'action.requested': null,
  'action.reported': null,
  'ledger.created': null,
  'approval.opened': 'approval.requested',
  'approval.vote_cast': null,
  'approval.vote_withdrawn': null,
  'approval.policy_changed': null,
  'approval.escalated': 'approval.escalated',
  'approval.approved': 'approval.approved',
  // The golden one was denied by a change of policy.
  'approval.denied': 'approval.auto_resolved',
  'approval.cancelled': 'approval.cancelled',
  'approval.timed_out': 'approval.timed_out',
  'policy.created': 'policy.changed',
  'policy.updated': 'policy.changed',
  'policy.activated': 'policy.changed',
  'policy.deactivated': 'policy.changed',
  'policy.deleted': 'policy.changed',
  'agent.registered': null,
  'agent.suspended': 'agent.suspended',
  'agent.resumed': null,
  'member.created': null,
  'key.created': null,
  'key.rotated': null,
  'key.revoked': null,
  'channel.created': null,
  'channel.updated': null,
  'channel.deleted': null,
  'channel.secret_rotated': null,
  'delivery.dead': null,
  'endpoint.disabled': 'endpoint.disabled',
};

const released = join(import.meta.dirname, '../../../../libs/contracts/golden/released');
const events = readdirSync(released).flatMap((release) =>
  readdirSync(join(released, release))
    .filter((file) => file.endsWith('.json'))
    .map((file) =>
      readEvent(wireEvent.parse(JSON.parse(readFileSync(join(released, release, file), 'utf8')))),
    ),
);

describe('what goes out', () => {
  it('is said of every type of event', () =>
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(eventTypes)));

  it.each(events.map((event) => [event.type, event] as const))(
    'of %s is as the table says',
    (type, event) => {
      const outgoing = outgoingEventOf(event);
      expect(outgoing?.type ?? null).toBe(goesOutAs[type]);
      if (outgoing === null) return;
      expect(outgoingEvent.parse(outgoing)).toEqual(outgoing);
      expect(outgoing).toMatchObject({
        id: event.event_id,
        time: event.occurred_at,
        source: `/workspaces/${event.org_id}/${event.source}`,
        data: { org_id: event.org_id },
      });
      expect(outgoing.subject).toMatch(/^(evt|apr|pol|agt|chn)_[0-9a-z]{26}$/);
    },
  );

  it.each(['approval.approved', 'approval.denied'] as const)('of %s depends on who decided', (type) => {
    const found = events.find((event) => event.type === type);
    const approved = events.find((event) => event.type === 'approval.approved');
    if (found?.type !== type || approved?.type !== 'approval.approved') throw new Error('both are golden');
    const { votes } = approved.data;
    const of = (data: object) =>
      outgoingEventOf({ ...found, data: { ...found.data, ...data } } as typeof found);
    const decision = type.slice('approval.'.length);
    const resolved_by = votes[0]?.member_id;
    expect(of({ votes, change: null })).toMatchObject({ type, data: { decision, resolved_by } });
    const bySystem = { type: 'approval.auto_resolved', data: { decision, resolved_by: null } };
    expect(of({ votes: [], change: null })).toMatchObject(bySystem);
  });

  it('of an escalation does not tell who else is told', () => {
    const escalated = events.find(({ type }) => type === 'approval.escalated');
    if (escalated === undefined) throw new Error('there is a golden approval.escalated');
    expect(JSON.stringify(outgoingEventOf(escalated))).not.toContain('@');
  });

  it('of a policy tells the change, not its conditions', () => {
    const updated = events.find(({ type }) => type === 'policy.updated');
    if (updated === undefined) throw new Error('there is a golden policy.updated');
    const data = outgoingEventOf(updated)?.data;
    expect(data).toMatchObject({ change: 'updated', version: expect.any(Number) as number });
    expect(data).not.toHaveProperty('content');
  });
});
