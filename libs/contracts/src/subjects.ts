/** Every subject of the system stands here or in `commands/` (decisions §1). */
export const eventStreamName = 'EVENTS';
/**
 * Where it is tried whether the stream stores: no event's subject, so nobody takes it in. The ledger, which keeps the
 * stream, may publish there with the rights it has.
 */
export const eventStreamProbeSubject = 'events.probe.ledger.probe';
export const eventSubject = (orgId: string, type: string) => `events.${orgId}.${type}`;

/** The two hot subjects; they carry batches and no reply subject (decisions §2.1). */
export const evaluateSubject = 'cmd.policy-engine.evaluate';
export const appendSubject = 'cmd.audit-ledger.append';
export const openSubject = 'cmd.approval-service.open';

export const submissionReplySubject = (gateway: string) => `reply.gateway.${gateway}.submission`;
export const unavailableReplySubject = (gateway: string) => `reply.gateway.${gateway}.unavailable`;

/** Core NATS, may be lost or empty: who hears it reads the state, unless it carries a `wakeHint`. */
export const wakeSubject = (approvalId: string) => `wake.${approvalId}`;
/**
 * Beaten every 250 ms by the active ledger writer while gateways want to hear it, and for 5 s after they said so last;
 * meanwhile 1 s of silence is a 503 at once. A writer that no gateway has asked yet beats all the time.
 */
export const ledgerHeartbeatSubject = 'heartbeat.audit-ledger';
export const ledgerHeartbeatMs = 250;
/** By which a gateway says, once a second while it is used, that it wants to hear the heartbeat; answered by one at once. */
export const wantHeartbeatSubject = 'cmd.audit-ledger.heartbeat';
export const heartbeatWantedForMs = 5_000;
