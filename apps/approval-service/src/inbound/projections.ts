import { type Projection, startProjection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { LagRegistry } from '@agentlattice/service';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { policyChangeTypes } from '../domain/policy-change-note.js';
import { projectSuspension, suspensionTypes } from '../outbound/agent-suspensions.js';
import { memberEventTypes, projectMember } from '../outbound/members.js';
import { notePolicyChanges } from '../outbound/policy-changes.js';
import { noteRequestedActions, requestedActionTypes } from '../outbound/unopened-requests.js';

export interface ProjectionPorts {
  readonly pool: pg.Pool;
  readonly nc: NatsConnection;
  readonly commands: CommandClient;
  readonly lags: LagRegistry;
  readonly logger: Logger;
}

const askForRequestedMs = 2_000;
const idleAskForRequestedMs = 6_000;

/** Stores the members, by the gateway's events. */
export const startMembersProjection = (ports: ProjectionPorts, onApplied: () => void): Projection =>
  watched(
    ports,
    startProjection({
      ...settings(ports),
      durable: 'approval-service-members',
      sources: ['gateway'],
      types: memberEventTypes,
      handle: projectMember,
      onApplied,
    }),
  );

/** Stores which agents are suspended with `pending: cancel`, by the gateway's events. */
export const startSuspensionsProjection = (ports: ProjectionPorts, onApplied: () => void): Projection =>
  startProjection({
    ...settings(ports),
    durable: 'approval-service-agents',
    sources: ['gateway'],
    types: suspensionTypes,
    handle: projectSuspension,
    onApplied,
  });

/** Stores the changes of policies, by the policy-engine's events. */
export const startPolicyChangesProjection = (ports: ProjectionPorts, onApplied: () => void): Projection =>
  watched(
    ports,
    startProjection({
      ...settings(ports),
      durable: 'approval-service-policies',
      sources: ['policy-engine'],
      types: policyChangeTypes,
      handleAll: notePolicyChanges,
      onApplied,
    }),
  );

/**
 * Notes recorded requests that their batch did not open. They are rare, so the ledger is asked for them and the stream is not
 * read.
 */
export const startRequestedActionsProjection = (ports: ProjectionPorts, onApplied: () => void): Projection =>
  watched(
    ports,
    startProjection({
      ...settings(ports),
      durable: 'approval-service-requested',
      sources: ['audit-ledger'],
      types: requestedActionTypes,
      handleAll: noteRequestedActions,
      onlyAsks: true,
      checkEveryMs: askForRequestedMs,
      idleEveryMs: idleAskForRequestedMs,
      onApplied,
    }),
  );

const settings = ({ pool, nc, commands: client, logger }: ProjectionPorts) => ({ pool, nc, client, logger });

function watched({ lags }: ProjectionPorts, projection: Projection): Projection {
  lags.addProjection(projection);
  return projection;
}
