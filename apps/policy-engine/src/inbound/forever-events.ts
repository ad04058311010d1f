import { type Projection, startProjection } from '@agentlattice/event-store';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type pg from 'pg';
import { noteForever } from '../outbound/forever-requests.js';

const askForForeverMs = 2_000;
const idleAskForForeverMs = 8_000;
const durable = 'policy-engine-forever';

/** The members of all workspaces, from the gateway's events. */
export const startMemberEvents = (
  pool: pg.Pool,
  nc: NatsConnection,
  client: CommandClient,
  logger: Logger,
): Projection =>
  startProjection({
    pool,
    nc,
    client,
    durable,
    sources: ['gateway'],
    types: ['member.created', 'member.accepted', 'member.updated', 'member.removed'],
    handle: noteForever,
    logger,
  });

/**
 * Approvals for ever, from the approval-service's events. The gateway sends a command for each; this finds approvals whose command
 * was lost. It asks the service instead of subscribing, because few approvals are for ever.
 */
export const startForeverEvents = (
  pool: pg.Pool,
  nc: NatsConnection,
  client: CommandClient,
  logger: Logger,
): Projection =>
  startProjection({
    pool,
    nc,
    client,
    durable,
    sources: ['approval-service'],
    types: ['approval.approved'],
    containing: { scope: 'forever' },
    handle: noteForever,
    onlyAsks: true,
    checkEveryMs: askForForeverMs,
    idleEveryMs: idleAskForForeverMs,
    logger,
  });
