import {
  appendItem,
  appendSubject,
  auditLedgerCommands,
  type CommandRequest,
  eventRegistry,
  eventTypes,
  wantHeartbeatSubject,
} from '@agentlattice/contracts';
import { consumeEvents, respondTo, subscribeBatches } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import type { NatsConnection } from '@nats-io/transport-node';
import type { WriterHandlers, WriterSubscriptions } from '../application/active-writer.js';

const queue = 'audit-ledger';
/**
 * Events of other services, also of types that this build does not know. The ledger's own events are left out: they are
 * already in the log, and each submission would cost a delivery and an acknowledgement. The approval-service sends its own
 * events here itself, with their erasable values.
 */
const foreignFamilies = [
  ...new Set(
    eventTypes
      .filter((type) => !['audit-ledger', 'approval-service'].includes(eventRegistry[type].owner))
      .map((type) => `${type.split('.')[0] ?? ''}.*`),
  ),
];

/** The subscriptions of the active writer. */
export function subscribeWriter(
  nc: NatsConnection,
  logger: Logger,
  handlers: WriterHandlers,
): WriterSubscriptions {
  const { report, append_events } = auditLedgerCommands;
  const commands = [
    subscribeBatches(nc, {
      subject: appendSubject,
      item: appendItem,
      queue,
      logger,
      handler: (items, { expiresAt }) => handlers.submissions(items, expiresAt),
    }),
    respondTo(nc, {
      command: report,
      queue,
      logger,
      handler: (payload) => handlers.report(payload as CommandRequest<typeof report>),
    }),
    respondTo(nc, {
      command: append_events,
      queue,
      logger,
      handler: async (payload) => {
        await handlers.approvalEvents(payload as CommandRequest<typeof append_events>);
        return {};
      },
    }),
    nc.subscribe(wantHeartbeatSubject, { callback: () => handlers.heartbeatWanted() }),
  ];
  const events = consumeEvents(nc, {
    durable: 'audit-ledger-events',
    types: foreignFamilies,
    logger,
    onMessage: (received) => handlers.events(received.filter(({ source }) => source !== 'audit-ledger')),
  });
  return {
    stopCommands: async () => {
      if (!nc.isClosed()) await Promise.all(commands.map((subscription) => subscription.drain()));
    },
    stopEvents: () => events.stop(),
  };
}
