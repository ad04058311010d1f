import type { PolicyChange } from '../events/approval.js';
import type { DomainEvent, EventData } from '../events/registry.js';
import type { WireEvent } from '../events/wire-event.js';
import type { AgentRef, ApprovalTerms, PolicyRef } from '../submission/items.js';
import type { OutgoingEvent, OutgoingEventType } from './outgoing-event.js';
import { assertNever } from '@agentlattice/decider';

/** The part of an event's envelope that is sent out. */
export type OutgoingSource = DomainEvent &
  Pick<WireEvent, 'event_id' | 'org_id' | 'source' | 'occurred_at' | 'correlation_id' | 'traceparent'>;

type OutgoingPart = Pick<OutgoingEvent, 'type' | 'subject' | 'data'>;

/** The CloudEvent of an event; null for an event that is not sent out. */
export function outgoingEventOf(event: OutgoingSource): OutgoingEvent | null {
  const part = outgoingPartOf(event);
  if (part === null) return null;
  return {
    specversion: '1.0',
    // One event becomes one CloudEvent, so receivers recognize a repetition by its id.
    id: event.event_id,
    source: `/workspaces/${event.org_id}/${event.source}`,
    type: part.type,
    subject: part.subject,
    time: event.occurred_at,
    datacontenttype: 'application/json',
    data: { org_id: event.org_id, ...part.data },
  };
}

/**
 * The column "goes out as" of the table of events (decisions §1). Every member that is sent out is named here, so a member
 * that is added to an event later is not sent by accident. References only, never addresses.
 */
export function outgoingPartOf(event: DomainEvent): OutgoingPart | null {
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
    case 'delegation.revoked':
    case 'delegation.expired': {
      const { delegation_id, agent, acting_for } = event.data;
      const data = { delegation_id, agent: agentOf(agent), acting_for: acting_for.map(agentOf) };
      return { type: event.type, subject: delegation_id, data };
    }
    case 'delegation.created':
    case 'approval.vote_cast':
    case 'approval.vote_withdrawn':
    case 'approval.policy_changed':
    case 'policy.tampering_ended':
    case 'approval.grant_consumed':
    case 'action.requested':
    case 'action.reported':
    case 'ledger.created':
    case 'ledger.key_rotated':
    case 'ledger.restored':
    case 'agent.registered':
    case 'agent.resumed':
    case 'member.created':
    case 'member.invited':
    case 'member.accepted':
    case 'member.declined':
    case 'access.workspace_created':
    case 'member.updated':
    case 'member.removed':
    case 'member.password_changed':
    case 'session.signed_in':
    case 'session.signed_out':
    case 'session.revoked':
    case 'session.sign_in_failed':
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

/** Only as `approval.auto_resolved` when the system decided. */
function tellDecision(
  event:
    | { readonly type: 'approval.approved'; readonly data: EventData<'approval.approved'> }
    | { readonly type: 'approval.denied'; readonly data: EventData<'approval.denied'> },
): OutgoingPart {
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
): OutgoingPart {
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
/** Leaves out the contacts of the escalation and the author of the policy. */
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
