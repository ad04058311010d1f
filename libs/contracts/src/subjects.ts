/** All subjects of the system are here or in `commands/` (decisions §1). */
export const eventStreamName = 'EVENTS';
/**
 * Probes test here whether the stream stores. No event has this subject, so no consumer reads it. The ledger may publish to
 * it with its existing permissions.
 */
export const eventStreamProbeSubject = 'events.probe.ledger.probe';
export const eventSubject = (orgId: string, type: string) => `events.${orgId}.${type}`;

/** The two hot subjects; they carry batches and no reply subject (decisions §2.1). */
export const evaluateSubject = 'cmd.policy-engine.evaluate';
export const appendSubject = 'cmd.audit-ledger.append';
export const openSubject = 'cmd.approval-service.open';

export const submissionReplySubject = (gateway: string) => `reply.gateway.${gateway}.submission`;
export const unavailableReplySubject = (gateway: string) => `reply.gateway.${gateway}.unavailable`;

/** Core NATS, may be lost or empty: the receiver reads the state, unless the message carries a `wakeHint`. */
export const wakeSubject = (approvalId: string) => `wake.${approvalId}`;
/**
 * Published every 250 ms by the active ledger writer while gateways ask for it, and for 5 s after the last request; meanwhile
 * 1 s without a heartbeat is a 503 at once. A writer that was never asked publishes it all the time.
 */
export const ledgerHeartbeatSubject = 'heartbeat.audit-ledger';
export const ledgerHeartbeatMs = 250;
/** A gateway asks for the heartbeat here, once a second while it is used; the writer answers with a heartbeat at once. */
export const wantHeartbeatSubject = 'cmd.audit-ledger.heartbeat';
export const heartbeatWantedForMs = 5_000;

/** Core NATS, from gateway to gateways: the answer of a person or a cancelling, for an MCP call that another one may hold. */
export const mcpMessageSubject = 'mcp.message';
