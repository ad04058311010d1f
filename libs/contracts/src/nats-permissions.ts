import { eventTypesOf } from './events/registry.js';
import { type ServiceName, serviceNames } from './services.js';
import {
  appendSubject,
  evaluateSubject,
  eventStreamName,
  ledgerHeartbeatSubject,
  openSubject,
  wantHeartbeatSubject,
} from './subjects.js';

export interface ServicePermissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  readonly allowResponses: boolean;
}

/** Only what a service owns, so that it cannot speak as another: `events.*.approval.>` and the like. */
const ownEvents = (service: ServiceName) => [
  ...new Set(eventTypesOf(service).map((type) => `events.*.${type.split('.')[0] ?? ''}.>`)),
];

/** The durable consumers of each service; a name outside this table cannot be made. */
export const durables = {
  'audit-ledger': ['audit-ledger-events'],
  'approval-service': ['approval-service-members', 'approval-service-policies', 'approval-service-agents'],
  'policy-engine': ['policy-engine-forever'],
  notifier: ['notifier-events', 'notifier-outcomes'],
} as const;

/** Pulling from and acknowledging to the stream by its own durables, and nothing that changes the stream. */
const consuming = (service: keyof typeof durables) => [
  '$JS.API.INFO',
  ...durables[service].flatMap((durable) => {
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

const replays = (...services: ServiceName[]) => services.map((service) => `cmd.${service}.replay`);

const permissionsOf = (
  service: ServiceName,
  { publish = [], subscribe = [] }: { publish?: readonly string[]; subscribe?: readonly string[] } = {},
): ServicePermissions => ({
  publish: [...ownEvents(service), `$JS.API.STREAM.INFO.${eventStreamName}`, ...publish],
  subscribe: [`_INBOX_${service}.>`, `cmd.${service}.>`, ...subscribe],
  // Lets it answer a request whose reply subject it was given, and nothing else.
  allowResponses: true,
});

/** What every service may say and hear on NATS (design §2, decisions §2.1). A service is a user of its own. */
export const natsPermissions: Readonly<Record<ServiceName, ServicePermissions>> = {
  gateway: permissionsOf('gateway', {
    publish: [
      evaluateSubject,
      ...[
        'create_policy',
        'update_policy',
        'delete_policy',
        'get_policy',
        'list_policies',
        'list_versions',
        'check',
        'allow_forever',
      ].map((verb) => `cmd.policy-engine.${verb}`),
      ...[
        'search',
        'entries',
        'checkpoint',
        'verifier_key',
        'verify',
        'issue_grant',
        'report',
        'posture',
        'jwks',
      ].map((verb) => `cmd.audit-ledger.${verb}`),
      ...[
        'get_approval',
        'approval_status',
        'list_approvals',
        'approve',
        'deny',
        'withdraw_vote',
        'cancel',
        'consume_grant',
        'jwks',
      ].map((verb) => `cmd.approval-service.${verb}`),
      ...[
        'create_channel',
        'update_channel',
        'delete_channel',
        'rotate_secret',
        'test_channel',
        'get_channel',
        'list_channels',
        'list_deliveries',
        'redeliver',
      ].map((verb) => `cmd.notifier.${verb}`),
      ...serviceNames.filter((name) => name !== 'gateway').map((name) => `cmd.${name}.ping`),
      wantHeartbeatSubject,
      // Reads events for those who listen, by sequence; that makes and changes nothing in the stream.
      `$JS.API.DIRECT.GET.${eventStreamName}`,
    ],
    // Approvals' own events too: they wake a waiter whose wake-up was lost.
    subscribe: ['reply.gateway.>', 'wake.*', 'events.*.approval.>', 'events.>', ledgerHeartbeatSubject],
  }),
  'policy-engine': permissionsOf('policy-engine', {
    publish: [
      appendSubject,
      'reply.gateway.*.unavailable',
      'cmd.notifier.find_channels',
      ...consuming('policy-engine'),
      ...replays('gateway', 'approval-service'),
      'cmd.audit-ledger.recorded_policies',
    ],
  }),
  'audit-ledger': permissionsOf('audit-ledger', {
    publish: [
      openSubject,
      'reply.gateway.*.submission',
      ledgerHeartbeatSubject,
      // The ledger keeps the stream: it makes it where the launcher did not.
      `$JS.API.STREAM.CREATE.${eventStreamName}`,
      `$JS.API.STREAM.UPDATE.${eventStreamName}`,
      ...consuming('audit-ledger'),
      ...replays('gateway', 'policy-engine', 'approval-service', 'notifier'),
      'cmd.approval-service.erasable_values',
      'cmd.gateway.erasable_values',
    ],
  }),
  'approval-service': permissionsOf('approval-service', {
    publish: [
      'reply.gateway.*.submission',
      'wake.*',
      'cmd.audit-ledger.requested_action',
      'cmd.audit-ledger.append_events',
      'cmd.policy-engine.rejudge',
      'cmd.gateway.agent_standing',
      'cmd.gateway.erasable_values',
      ...consuming('approval-service'),
      ...replays('audit-ledger', 'gateway', 'policy-engine'),
    ],
  }),
  notifier: permissionsOf('notifier', {
    publish: [
      ...consuming('notifier'),
      ...replays('gateway', 'policy-engine', 'approval-service', 'audit-ledger'),
    ],
  }),
};
