import type { PolicyChange } from '../events/approval.js';
import type { DomainEvent, EventData } from '../events/registry.js';
import type { WireEvent } from '../events/wire-event.js';
import type { AgentRef, ApprovalTerms, PolicyRef } from '../submission/items.js';
import type { OutgoingEvent, OutgoingEventType } from './outgoing-event.js';
import { assertNever } from '@agentlattice/decider';

/** What of an event's envelope goes out. */
export type OutgoingSource = DomainEvent &
  Pick<WireEvent, 'event_id' | 'org_id' | 'source' | 'occurred_at' | 'correlation_id' | 'traceparent'>;

type Told = Pick<OutgoingEvent, 'type' | 'subject' | 'data'>;

/** The CloudEvent that an event of the system goes out as; null for one that stays inside. */
export function outgoingEventOf(event: OutgoingSource): OutgoingEvent | null {
  const told = toldOutside(event);
  if (told === null) return null;
  return {
    specversion: '1.0',
    // One event goes out as one: its id is enough for receivers to know a repetition.
    id: event.event_id,
    source: `/workspaces/${event.org_id}/${event.source}`,
    type: told.type,
    subject: told.subject,
    time: event.occurred_at,
    datacontenttype: 'application/json',
    data: { org_id: event.org_id, ...told.data },
  };
}

/**
 * The column "goes out as" of the table of events. Every member that leaves the system is named here: what an event comes
 * to hold later stays inside until somebody decides otherwise. References only, never addresses.
 */
export function toldOutside(event: DomainEvent): Told | null {
  switch (event.type) {
    case 'action.executed':
    case 'action.denied': {
      const { audit_event_id, seq, agent, action_type, action_digest, policy } = event.data;
      return {
        type: event.type,
        subject: audit_event_id,
        data: {
          audit_event_id,
          seq,
          agent: agentOf(agent),
          action_type,
          action_digest,
          policy: policy === null ? null : policyOf(policy),
          ...(event.type === 'action.denied' ? { denial_reason: event.data.denial_reason } : {}),
        },
      };
    }
    case 'approval.opened': {
      const { action_digest, judged_at, requested_at, timeout_at, terms } = event.data;
      return tellApproval('approval.requested', event.data, {
        action_digest,
        judged_at,
        requested_at,
        timeout_at,
        terms: termsOf(terms),
      });
    }
    case 'approval.approved':
    case 'approval.denied':
      return tellDecision(event);
    case 'approval.escalated': {
      const { level, repetition, timeout_at, step } = event.data;
      return tellApproval(event.type, event.data, { level, repetition, timeout_at, after: step.after });
    }
    case 'approval.cancelled':
      return tellApproval(event.type, event.data, {});
    case 'approval.timed_out':
      return tellApproval(event.type, event.data, { timeout_at: event.data.timeout_at });
    case 'policy.created':
    case 'policy.updated':
    case 'policy.activated':
    case 'policy.deactivated':
    case 'policy.deleted': {
      const { policy_id, name, version, hash } = event.data;
      const change = event.type.slice('policy.'.length);
      return { type: 'policy.changed', subject: policy_id, data: { change, policy_id, name, version, hash } };
    }
    case 'policy.tampering_detected': {
      const { policy, action_type, reason } = event.data;
      return {
        type: event.type,
        subject: policy.id,
        data: { policy: policyOf(policy), action_type, reason },
      };
    }
    case 'endpoint.disabled': {
      const { channel_id, name, channel_type, reason, delivery_id } = event.data;
      const data = { channel_id, name, channel_type, reason, delivery_id };
      return { type: event.type, subject: channel_id, data };
    }
    case 'agent.suspended': {
      const { agent, pending } = event.data;
      return { type: event.type, subject: agent.id, data: { agent: agentOf(agent), pending } };
    }
    case 'approval.vote_cast':
    case 'approval.vote_withdrawn':
    case 'approval.policy_changed':
    case 'policy.tampering_ended':
    case 'approval.grant_consumed':
    case 'action.requested':
    case 'action.reported':
    case 'ledger.created':
    case 'agent.registered':
    case 'agent.resumed':
    case 'member.created':
    case 'member.invited':
    case 'member.accepted':
    case 'member.declined':
    case 'access.workspace_created':
    case 'access.refused':
    case 'channel.tested':
    case 'delivery.redelivered':
    case 'key.created':
    case 'key.rotated':
    case 'key.revoked':
    case 'channel.created':
    case 'channel.updated':
    case 'channel.deleted':
    case 'channel.secret_rotated':
    case 'delivery.dead':
      return null;
    default:
      return assertNever(event);
  }
}

/** Alone as `approval.auto_resolved` where no person decided. */
function tellDecision(
  event:
    | { readonly type: 'approval.approved'; readonly data: EventData<'approval.approved'> }
    | { readonly type: 'approval.denied'; readonly data: EventData<'approval.denied'> },
): Told {
  const { votes, change } = event.data;
  const decidedBy = change === null ? (votes.at(-1)?.member_id ?? null) : null;
  return tellApproval(decidedBy === null ? 'approval.auto_resolved' : event.type, event.data, {
    votes: votes.map(({ member_id, decision, groups, at, forever_for }) => ({
      member_id,
      decision,
      groups,
      at,
      forever_for,
    })),
    change: change === null ? null : changeOf(change),
    ...(event.type === 'approval.approved'
      ? approvalOf(event.data)
      : { denial_reason: event.data.denial_reason }),
    decision: event.type === 'approval.approved' ? 'approved' : 'denied',
    resolved_by: decidedBy,
  });
}

function tellApproval(
  type: OutgoingEventType,
  {
    approval_id,
    audit_event_id,
    agent,
    action_type,
    policy,
  }: Omit<EventData<'approval.cancelled'>, 'suspension'>,
  more: object,
): Told {
  const { owner_member_id } = agent;
  return {
    type,
    subject: approval_id,
    data: {
      approval_id,
      audit_event_id,
      agent: { ...agentOf(agent), owner_member_id },
      action_type,
      policy: policyOf(policy),
      ...more,
    },
  };
}

const agentOf = ({ id, name }: AgentRef) => ({ id, name });
const policyOf = ({ id, name, version, hash }: PolicyRef) => ({ id, name, version, hash });
/** Neither whom its escalation reaches nor who wrote the policy. */
const termsOf = ({
  timeout_ms,
  approvals_required,
  denials_required,
  approver_groups,
  separation_of_duties,
  on_removed,
  on_no_approver,
}: ApprovalTerms) => ({
  timeout_ms,
  approvals_required,
  denials_required,
  approver_groups: approver_groups.map(({ group, count }) => ({ group, count })),
  separation_of_duties,
  on_removed,
  on_no_approver,
});
const changeOf = ({ event_id, type, policy_id, policy_name, policy_version }: PolicyChange) => ({
  event_id,
  type,
  policy_id,
  policy_name,
  policy_version,
});
const approvalOf = ({
  action_digest,
  scope,
  forever_for,
  forever_by,
  grant_expires_at,
}: EventData<'approval.approved'>) => ({ action_digest, scope, forever_for, forever_by, grant_expires_at });
