import { eventTypes, readEvent } from '../events/registry.js';
import { wireEvent } from '../events/wire-event.js';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OutgoingEvent, outgoingEvent } from './outgoing-event.js';
import { outgoingEventOf } from './outgoing-event-of.js';

/** decisions §1, column "goes out as", for the golden events; null: not sent out. */
const goesOutAs: Record<(typeof eventTypes)[number], OutgoingEvent['type'] | null> = {
  'action.executed': 'action.executed',
  'action.denied': 'action.denied',
  'action.requested': null,
  'action.reported': null,
  'ledger.created': null,
  'ledger.key_rotated': null,
  'ledger.restored': null,
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
  'approval.grant_consumed': null,
  'policy.created': 'policy.changed',
  'policy.updated': 'policy.changed',
  'policy.activated': 'policy.changed',
  'policy.deactivated': 'policy.changed',
  'policy.deleted': 'policy.changed',
  'policy.tampering_detected': 'policy.tampering_detected',
  'policy.tampering_ended': null,
  'delegation.created': null,
  'delegation.revoked': 'delegation.revoked',
  'delegation.expired': 'delegation.expired',
  'agent.registered': null,
  'agent.suspended': 'agent.suspended',
  'agent.resumed': null,
  'member.created': null,
  'member.invited': null,
  'member.accepted': null,
  'member.declined': null,
  'access.workspace_created': null,
  'member.updated': null,
  'member.removed': null,
  'member.password_changed': null,
  'session.signed_in': null,
  'session.signed_out': null,
  'session.revoked': null,
  'session.sign_in_failed': null,
  'access.refused': null,
  'channel.tested': null,
  'delivery.redelivered': null,
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

const ref = ['agent.id', 'agent.name', 'policy.hash', 'policy.id', 'policy.name', 'policy.version'];
const approval = [...ref, 'action_type', 'agent.owner_member_id', 'approval_id', 'audit_event_id', 'org_id'];
const resolution = [...approval, 'decision', 'resolved_by', 'votes'];
const vote = ['votes.at', 'votes.decision', 'votes.forever_for', 'votes.groups', 'votes.member_id'];
const change = ['event_id', 'policy_id', 'policy_name', 'policy_version', 'type'].map(
  (key) => `change.${key}`,
);
const outcome = ['org_id', 'action_digest', 'action_type', 'agent.id', 'agent.name', 'audit_event_id', 'seq'];
/** Every member that is sent out. */
const members: Partial<Record<(typeof eventTypes)[number], readonly string[]>> = {
  'action.executed': [...ref, ...outcome],
  'action.denied': [...outcome, 'denial_reason', 'policy'],
  'approval.opened': [
    ...approval,
    ...['action_digest', 'judged_at', 'requested_at', 'timeout_at'],
    ...['timeout_ms', 'approvals_required', 'denials_required', 'separation_of_duties'].map(inTerms),
    ...['approver_groups', 'approver_groups.group', 'approver_groups.count'].map(inTerms),
    ...['on_removed', 'on_no_approver'].map(inTerms),
  ],
  'approval.escalated': [...approval, 'after', 'level', 'repetition', 'timeout_at'],
  'approval.approved': [
    ...resolution,
    'change',
    ...vote,
    ...['action_digest', 'forever_by', 'forever_for', 'grant_expires_at', 'scope'],
  ],
  'approval.denied': [...resolution, ...change, 'denial_reason'],
  'approval.cancelled': approval,
  'approval.timed_out': [...approval, 'timeout_at'],
  ...Object.fromEntries(
    ['created', 'updated', 'activated', 'deactivated', 'deleted'].map((what) => [
      `policy.${what}`,
      ['org_id', 'change', 'hash', 'name', 'policy_id', 'version'],
    ]),
  ),
  'policy.tampering_detected': [
    ...['org_id', 'action_type', 'policy.hash', 'policy.id', 'policy.name', 'policy.version', 'reason'],
  ],
  'agent.suspended': ['org_id', 'agent.id', 'agent.name', 'pending'],
  ...Object.fromEntries(
    ['delegation.revoked', 'delegation.expired'].map((type) => [
      type,
      ['acting_for', 'acting_for.id', 'acting_for.name', 'agent.id', 'agent.name', 'delegation_id', 'org_id'],
    ]),
  ),
  'endpoint.disabled': ['org_id', 'channel_id', 'channel_type', 'delivery_id', 'name', 'reason'],
};
function inTerms(name: string) {
  return `terms.${name}`;
}
/** Names of members, of those in lists and objects too. */
const membersOf = (value: unknown, path = ''): string[] =>
  Array.isArray(value)
    ? [...(path === '' ? [] : [path]), ...value.flatMap((item) => membersOf(item, path))]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, inner]) =>
          membersOf(inner, path === '' ? key : `${path}.${key}`),
        )
      : [path];

const released = join(import.meta.dirname, '../../../../libs/contracts/golden/released');
const events = readdirSync(released).flatMap((release) =>
  readdirSync(join(released, release))
    .filter((file) => file.endsWith('.json'))
    .map((file) =>
      readEvent(wireEvent.parse(JSON.parse(readFileSync(join(released, release, file), 'utf8')))),
    ),
);

describe('an outgoing event', () => {
  it('is defined for every type of event', () =>
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(eventTypes)));

  it.each(events.map((event) => [event.type, event] as const))(
    'of %s is the one in the table',
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
      expect(outgoing.subject).toMatch(/^(evt|apr|pol|agt|chn|del)_[0-9a-z]{26}$/);
    },
  );

  it.each(['approval.approved', 'approval.denied'] as const)(
    'of %s depends on whether a person decided',
    (type) => {
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
    },
  );

  it.each(events.filter(({ type }) => goesOutAs[type] !== null).map((event) => [event.type, event] as const))(
    'of %s has only the members that are named, whatever else the event contains',
    (type, event) => {
      const address = 'somebody@example.com';
      const more = { policy_author: 'mbr_author', note: address };
      const spoil = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(spoil)
          : typeof value === 'object' && value !== null
            ? {
                ...Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, spoil(inner)])),
                ...more,
              }
            : value;
      const step = { after: '1m', contacts: [address], channels: ['chn_1'], repeat: null };
      const data = spoil(event.data) as object;
      const full = {
        ...data,
        ...('terms' in data
          ? {
              terms: {
                ...(data.terms as object),
                escalation: [step],
                approver_groups: [{ group: 'g', count: 1, ...more }],
              },
            }
          : {}),
        ...('step' in data ? { step } : {}),
      };
      const outgoing = outgoingEventOf({ ...event, data: full } as typeof event);
      const named = [...new Set(membersOf(outgoing?.data))];
      expect(named.sort()).toEqual([...new Set(members[type])].sort());
      const body = JSON.stringify(outgoing);
      for (const inside of [address, 'policy_author', 'mbr_author', 'chn_1'])
        expect(body).not.toContain(inside);
    },
  );

  it('of a policy has the change, not its conditions', () => {
    const updated = events.find(({ type }) => type === 'policy.updated');
    if (updated === undefined) throw new Error('there is a golden policy.updated');
    const data = outgoingEventOf(updated)?.data;
    expect(data).toMatchObject({ change: 'updated', version: expect.any(Number) as number });
    expect(data).not.toHaveProperty('content');
  });
});
