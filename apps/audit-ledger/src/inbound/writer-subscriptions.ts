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
import type { CommandHandlers, WriterHandlers, WriterSubscriptions } from '../application/active-writer.js';
import { HeldCommands } from '../application/held-commands.js';
import type { TakenCommands } from '../application/writer-election.js';

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

type Commands = Pick<WriterSubscriptions, 'stopCommands'>;

/** Commands are shared by a queue: while a writer hands over, each goes to it or to the next one. */
function subscribeCommands(nc: NatsConnection, logger: Logger, handlers: CommandHandlers): Commands {
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
  return {
    stopCommands: async () => {
      if (!nc.isClosed()) await Promise.all(commands.map((subscription) => subscription.drain()));
    },
  };
}

/** Commands that the instance takes before it is the writer. */
export interface WaitingCommands extends TakenCommands, Commands {
  passTo(writer: CommandHandlers): void;
}

/** Resolves once each command of the stopping writer that this instance is given is kept. */
export async function takeCommands(nc: NatsConnection, logger: Logger): Promise<WaitingCommands> {
  const held = new HeldCommands();
  const { stopCommands } = subscribeCommands(nc, logger, held);
  await nc.flush();
  const refuse = async () => {
    held.refuse();
    await stopCommands();
  };
  return { stopCommands, refuse, passTo: (writer) => held.passTo(writer) };
}

/**
 * The subscriptions of the active writer.
 * @param taken what it took over from the writer before it
 */
export function subscribeWriter(
  nc: NatsConnection,
  logger: Logger,
  handlers: WriterHandlers,
  taken: WaitingCommands | undefined,
): WriterSubscriptions {
  const { stopCommands } = taken ?? subscribeCommands(nc, logger, handlers);
  taken?.passTo(handlers);
  const events = consumeEvents(nc, {
    durable: 'audit-ledger-events',
    types: foreignFamilies,
    logger,
    onMessage: (received) => handlers.events(received.filter(({ source }) => source !== 'audit-ledger')),
  });
  return { stopCommands, stopEvents: () => events.stop() };
}
