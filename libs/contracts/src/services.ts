/** The five services. The same name is used in subjects, NATS users, process paths and log entries. */
export const serviceNames = [
  'gateway',
  'policy-engine',
  'approval-service',
  'notifier',
  'audit-ledger',
] as const;

export type ServiceName = (typeof serviceNames)[number];

/** The exit code of a service whose settings are wrong (EX_CONFIG). A restart cannot help. */
export const badConfigurationExit = 78;
