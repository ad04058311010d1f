import { approvalServiceCommands } from './commands/approval-service.js';
import { auditLedgerCommands } from './commands/audit-ledger.js';
import type { Command } from './commands/command.js';
import { gatewayCommands } from './commands/gateway.js';
import { notifierCommands } from './commands/notifier.js';
import { policyEngineCommands } from './commands/policy-engine.js';
import { eventTypesOf } from './events/registry.js';
import type { ServiceName } from './services.js';
import {
  appendSubject,
  evaluateSubject,
  eventStreamName,
  ledgerHeartbeatSubject,
  mcpMessageSubject,
  openSubject,
  wantHeartbeatSubject,
} from './subjects.js';

export interface ServicePermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly allowResponses: boolean;
}

/** Only the events that a service owns, so that it cannot publish those of another: `events.*.approval.>` and the like. */
const ownEvents = (service: ServiceName) => [
  ...new Set(eventTypesOf(service).map((type) => `events.*.${type.split('.')[0] ?? ''}.>`)),
];

/** The durable consumers of each service; a name outside this table cannot be made. */
export const durableConsumers = {
  'audit-ledger': ['audit-ledger-events'],
  'approval-service': ['approval-service-members', 'approval-service-policies', 'approval-service-agents'],
  'policy-engine': ['policy-engine-forever'],
  notifier: ['notifier-events', 'notifier-outcomes'],
} as const;

/** Reading and acknowledging by its own durable consumers; no right to change the stream. */
const consuming = (service: keyof typeof durableConsumers) => [
  '$JS.API.INFO',
  ...durableConsumers[service].flatMap((durable) => {
    const consumer = `${eventStreamName}.${durable}`;
    return [
      `$JS.API.CONSUMER.CREATE.${consumer}`,
      `$JS.API.CONSUMER.CREATE.${consumer}.>`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${consumer}`,
      `$JS.API.CONSUMER.INFO.${consumer}`,
      `$JS.API.CONSUMER.MSG.NEXT.${consumer}`,
      `$JS.ACK.${consumer}.>`,
    ];
  }),
];

const commands: readonly Command[] = [
  policyEngineCommands,
  auditLedgerCommands,
  approvalServiceCommands,
  notifierCommands,
  gatewayCommands,
].flatMap((table): Command[] => Object.values(table));

/** The commands and queries of other services that a service may send, from the command tables. */
const asking = (service: ServiceName) =>
  commands.filter(({ askedBy }) => askedBy.includes(service)).map(({ subject }) => subject);

const permissionsOf = (
  service: ServiceName,
  { publish = [], subscribe = [] }: { publish?: readonly string[]; subscribe?: readonly string[] } = {},
): ServicePermissions => ({
  publish: [...ownEvents(service), `$JS.API.STREAM.INFO.${eventStreamName}`, ...asking(service), ...publish],
  subscribe: [`_INBOX_${service}.>`, `cmd.${service}.>`, ...subscribe],
  // Allows only answers to the reply subject of a request that it received.
  allowResponses: true,
});

/** The NATS permissions of each service, which is a NATS user of its own (design §2, decisions §2.1). */
export const natsPermissions: Readonly<Record<ServiceName, ServicePermissions>> = {
  gateway: permissionsOf('gateway', {
    // Live events are read by sequence, which needs no consumer and changes nothing in the stream.
    publish: [
      evaluateSubject,
      wantHeartbeatSubject,
      mcpMessageSubject,
      `$JS.API.DIRECT.GET.${eventStreamName}`,
    ],
    // Events replace a lost wake-up, and are the notices of live events.
    subscribe: ['reply.gateway.>', 'wake.*', 'events.>', ledgerHeartbeatSubject, mcpMessageSubject],
  }),
  'policy-engine': permissionsOf('policy-engine', {
    publish: [appendSubject, 'reply.gateway.*.unavailable', ...consuming('policy-engine')],
  }),
  'audit-ledger': permissionsOf('audit-ledger', {
    publish: [
      openSubject,
      'reply.gateway.*.submission',
      ledgerHeartbeatSubject,
      // The ledger creates the stream if the launcher did not.
      `$JS.API.STREAM.CREATE.${eventStreamName}`,
      `$JS.API.STREAM.UPDATE.${eventStreamName}`,
      ...consuming('audit-ledger'),
    ],
  }),
  'approval-service': permissionsOf('approval-service', {
    publish: ['reply.gateway.*.submission', 'wake.*', ...consuming('approval-service')],
  }),
  notifier: permissionsOf('notifier', {
    publish: [...consuming('notifier')],
  }),
};
