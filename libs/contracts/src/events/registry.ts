import type { z } from 'zod';
import { Refused } from '@agentlattice/decider';
import type { ServiceName } from '../services.js';
import { actionDeniedV1, actionExecutedV1, actionReportedV1, actionRequestedV1 } from './action.js';
import {
  approvalApprovedV1,
  approvalCancelledV1,
  approvalCancelledV2,
  approvalDeniedV1,
  approvalEscalatedV1,
  approvalGrantConsumedV1,
  approvalOpenedV1,
  approvalPolicyChangedV1,
  approvalTimedOutV1,
  approvalVoteCastV1,
  approvalVoteWithdrawnV1,
  upcastApprovalCancelledV1,
} from './approval.js';
import { delegationCreatedV1, delegationExpiredV1, delegationRevokedV1 } from './delegation.js';
import { ledgerCreatedV1, ledgerKeyRotatedV1, ledgerRestoredV1 } from './ledger.js';
import {
  channelCreatedV1,
  channelDeletedV1,
  channelSecretRotatedV1,
  channelTestedV1,
  channelUpdatedV1,
  deliveryDeadV1,
  deliveryRedeliveredV1,
  endpointDisabledV1,
} from './notifier.js';
import { type EventDefinitions, makeEventDataReader, upcast } from './event-versions.js';
import { policyChangedV1, policyTamperingDetectedV1, policyTamperingEndedV1 } from './policy.js';
import {
  accessRefusedV1,
  accessRefusedV2,
  agentRegisteredV1,
  agentResumedV1,
  agentSuspendedV1,
  keyCreatedV1,
  keyRevokedV1,
  keyRotatedV1,
  memberAcceptedV1,
  memberCreatedV1,
  memberDeclinedV1,
  memberInvitedV1,
  memberRemovedV1,
  memberUpdatedV1,
  accessWorkspaceCreatedV1,
  upcastAccessRefusedV1,
} from './principals.js';
import {
  memberPasswordChangedV1,
  sessionRevokedV1,
  sessionSignedInV1,
  sessionSignedOutV1,
  sessionSignInFailedV1,
} from './sessions.js';
import type { WireEvent } from './wire-event.js';

/**
 * Every event of the system: the service that may publish it, its schema by version, and the upcast of each older version to
 * the next one. A new meaning is a new version in addition to the old.
 */
export const eventRegistry = {
  'action.executed': { owner: 'audit-ledger', versions: { 1: actionExecutedV1 } },
  'action.denied': { owner: 'audit-ledger', versions: { 1: actionDeniedV1 } },
  'action.requested': { owner: 'audit-ledger', versions: { 1: actionRequestedV1 } },
  'action.reported': { owner: 'audit-ledger', versions: { 1: actionReportedV1 } },
  'ledger.created': { owner: 'audit-ledger', versions: { 1: ledgerCreatedV1 } },
  'ledger.key_rotated': { owner: 'audit-ledger', versions: { 1: ledgerKeyRotatedV1 } },
  'ledger.restored': { owner: 'audit-ledger', versions: { 1: ledgerRestoredV1 } },
  'approval.opened': { owner: 'approval-service', versions: { 1: approvalOpenedV1 } },
  'approval.vote_cast': { owner: 'approval-service', versions: { 1: approvalVoteCastV1 } },
  'approval.vote_withdrawn': { owner: 'approval-service', versions: { 1: approvalVoteWithdrawnV1 } },
  'approval.escalated': { owner: 'approval-service', versions: { 1: approvalEscalatedV1 } },
  'approval.policy_changed': { owner: 'approval-service', versions: { 1: approvalPolicyChangedV1 } },
  'approval.approved': { owner: 'approval-service', versions: { 1: approvalApprovedV1 } },
  'approval.denied': { owner: 'approval-service', versions: { 1: approvalDeniedV1 } },
  'approval.cancelled': {
    owner: 'approval-service',
    versions: { 1: approvalCancelledV1, 2: approvalCancelledV2 },
    upcasts: { 1: upcast(approvalCancelledV1, upcastApprovalCancelledV1) },
  },
  'approval.grant_consumed': { owner: 'approval-service', versions: { 1: approvalGrantConsumedV1 } },
  'approval.timed_out': { owner: 'approval-service', versions: { 1: approvalTimedOutV1 } },
  'policy.created': { owner: 'policy-engine', versions: { 1: policyChangedV1 } },
  'policy.updated': { owner: 'policy-engine', versions: { 1: policyChangedV1 } },
  'policy.activated': { owner: 'policy-engine', versions: { 1: policyChangedV1 } },
  'policy.deactivated': { owner: 'policy-engine', versions: { 1: policyChangedV1 } },
  'policy.deleted': { owner: 'policy-engine', versions: { 1: policyChangedV1 } },
  'policy.tampering_detected': { owner: 'policy-engine', versions: { 1: policyTamperingDetectedV1 } },
  'policy.tampering_ended': { owner: 'policy-engine', versions: { 1: policyTamperingEndedV1 } },
  'delegation.created': { owner: 'policy-engine', versions: { 1: delegationCreatedV1 } },
  'delegation.revoked': { owner: 'policy-engine', versions: { 1: delegationRevokedV1 } },
  'delegation.expired': { owner: 'policy-engine', versions: { 1: delegationExpiredV1 } },
  'agent.registered': { owner: 'gateway', versions: { 1: agentRegisteredV1 } },
  'agent.suspended': { owner: 'gateway', versions: { 1: agentSuspendedV1 } },
  'agent.resumed': { owner: 'gateway', versions: { 1: agentResumedV1 } },
  'member.created': { owner: 'gateway', versions: { 1: memberCreatedV1 } },
  'member.invited': { owner: 'gateway', versions: { 1: memberInvitedV1 } },
  'member.accepted': { owner: 'gateway', versions: { 1: memberAcceptedV1 } },
  'member.declined': { owner: 'gateway', versions: { 1: memberDeclinedV1 } },
  'member.updated': { owner: 'gateway', versions: { 1: memberUpdatedV1 } },
  'member.removed': { owner: 'gateway', versions: { 1: memberRemovedV1 } },
  'member.password_changed': { owner: 'gateway', versions: { 1: memberPasswordChangedV1 } },
  'session.signed_in': { owner: 'gateway', versions: { 1: sessionSignedInV1 } },
  'session.signed_out': { owner: 'gateway', versions: { 1: sessionSignedOutV1 } },
  'session.revoked': { owner: 'gateway', versions: { 1: sessionRevokedV1 } },
  'session.sign_in_failed': { owner: 'gateway', versions: { 1: sessionSignInFailedV1 } },
  'access.refused': {
    owner: 'gateway',
    versions: { 1: accessRefusedV1, 2: accessRefusedV2 },
    upcasts: { 1: upcast(accessRefusedV1, upcastAccessRefusedV1) },
  },
  'access.workspace_created': { owner: 'gateway', versions: { 1: accessWorkspaceCreatedV1 } },
  'key.created': { owner: 'gateway', versions: { 1: keyCreatedV1 } },
  'key.rotated': { owner: 'gateway', versions: { 1: keyRotatedV1 } },
  'key.revoked': { owner: 'gateway', versions: { 1: keyRevokedV1 } },
  'channel.created': { owner: 'notifier', versions: { 1: channelCreatedV1 } },
  'channel.updated': { owner: 'notifier', versions: { 1: channelUpdatedV1 } },
  'channel.deleted': { owner: 'notifier', versions: { 1: channelDeletedV1 } },
  'channel.secret_rotated': { owner: 'notifier', versions: { 1: channelSecretRotatedV1 } },
  'channel.tested': { owner: 'notifier', versions: { 1: channelTestedV1 } },
  'delivery.redelivered': { owner: 'notifier', versions: { 1: deliveryRedeliveredV1 } },
  'delivery.dead': { owner: 'notifier', versions: { 1: deliveryDeadV1 } },
  'endpoint.disabled': { owner: 'notifier', versions: { 1: endpointDisabledV1 } },
} as const satisfies EventDefinitions;

export type EventType = keyof typeof eventRegistry;
export const eventTypes = Object.keys(eventRegistry) as readonly EventType[];
export const isEventType = (type: string): type is EventType => Object.hasOwn(eventRegistry, type);
export const eventTypesOf = (owner: ServiceName): readonly EventType[] =>
  eventTypes.filter((type) => eventRegistry[type].owner === owner);

/** The schema of the newest version. */
type Newest<Versions> = Versions extends { readonly 2: infer Schema }
  ? Schema
  : Versions extends { readonly 1: infer Schema }
    ? Schema
    : never;

/** `data` of an event in its newest version. */
export type EventData<T extends EventType> = z.infer<Newest<(typeof eventRegistry)[T]['versions']>>;

/** A domain event as deciders produce and fold it: type and data in the newest version, without an envelope. */
export type DomainEvent<T extends EventType = EventType> = {
  [K in T]: { readonly type: K; readonly data: EventData<K> };
}[T];

/** Reads and writes the `data` of events by the registry; the event store uses it for what it stores. */
export const eventData = makeEventDataReader(eventRegistry);

/**
 * The event of another service with its data checked against the schema of its version and brought to the newest version.
 * @throws Refused UNSUPPORTED_VERSION for a type or version that this build does not know, or one from a foreign source
 */
export function readEvent(event: WireEvent): WireEvent & DomainEvent {
  const { type, schema_version, source, gpos } = event;
  const refuse = (detail: string) =>
    new Refused('UNSUPPORTED_VERSION', `${source} ${String(gpos)}: ${detail}`);
  if (isEventType(type) && eventRegistry[type].owner !== source)
    throw refuse(`${source} does not own ${type}`);
  const read = eventData.read({ type, schema_version, data: event.data });
  if (!read.success) throw refuse(read.detail);
  // The registry says which schema belongs to which type, and the schema of the newest version has just passed.
  return { ...event, schema_version: read.schemaVersion, type, data: read.data } as WireEvent & DomainEvent;
}
