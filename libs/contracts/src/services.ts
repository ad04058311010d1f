/** The five services. A name stands in subjects, NATS users, process paths and log entries alike. */
export const serviceNames = [
  'gateway',
  'policy-engine',
  'approval-service',
  'notifier',
  'audit-ledger',
] as const;

export type ServiceName = (typeof serviceNames)[number];
