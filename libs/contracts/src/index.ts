export * from './approval/approval.js';
export * from './approval/for-operators.js';
export * from './approval/forever-preview.js';
export * from './approval/mask-secrets.js';
export * from './approval/overview.js';
export * from './audit/audit.js';
export * from './channels/channel.js';
export * from './channels/outgoing-event.js';
export * from './audit/posture.js';
export * from './live/live-event.js';
export { liveEventOf } from './live/live-event-of.js';
export { outgoingEventOf, type OutgoingSource } from './channels/outgoing-event-of.js';
export * from './audit/report.js';
export * from './commands/approval-service.js';
export * from './commands/audit-ledger.js';
export * from './commands/command.js';
export * from './commands/every-service.js';
export * from './commands/gateway.js';
export * from './commands/notifier.js';
export * from './commands/policy-engine.js';
export * from './delegation/delegation.js';
export * from './durability.js';
export * from './errors.js';
export {
  type EventDataReader,
  type EventDefinitions,
  makeEventDataReader,
  upcast,
} from './events/event-versions.js';
export * from './events/registry.js';
export {
  type PolicyChange,
  type Vote,
  approvalScopes,
  foreverFor,
  seenMs,
  voteDecisions,
} from './events/approval.js';
export { type TamperingReason, tamperingReasons } from './events/policy.js';
export { keyKinds, pendingOnSuspension } from './events/principals.js';
export * from './events/wire-event.js';
export * from './nats-permissions.js';
export * from './policy/policy.js';
export * from './primitives.js';
export * from './visible-text.js';
export { parseWith } from './parse-with.js';
export * from './services.js';
export * from './subjects.js';
export * from './submission/items.js';
export * from './http/log-entries.js';
export * from './http/mcp.js';
export * from './http/openapi.js';
export * from './http/route.js';
export * from './http/routes.js';
export * from './http/routes/actions.js';
export * from './http/routes/policy-checks.js';
export { readiness } from './http/routes/system.js';
export * from './principals/principals.js';
export * from './principals/sessions.js';
export { revocationReasons, sessionMethods, signInFailures } from './events/sessions.js';
