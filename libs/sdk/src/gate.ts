import { type Action, cancelRequest, holdSeconds, statusOf, submit } from './actions.js';
import { AgentLatticeError, ApprovalDeniedError, ApprovalTimeoutError, ConnectionError } from './errors.js';
import { invalid } from './grant.js';
import type { PublishedKeys } from './published-keys.js';
import { sleep, type Transport } from './transport.js';
import type { ActionResult, ApprovalStatus, GateOptions, GateResult } from './types.js';

export interface GatePorts {
  readonly transport: Transport;
  readonly keys: PublishedKeys;
}

/** For finding out what there is to withdraw, and withdrawing it, when nobody waits any longer. */
const lastWordMs = 5_000;
/** An answer that comes sooner was not held: something between us and the system does not know how to. */
const heldMs = 1_000;
const shortestPauseMs = 250;
const longestPauseMs = 2_000;

class GaveUp extends Error {}

/**
 * Waits until an action is cleared.
 * @throws ApprovalDeniedError, ApprovalTimeoutError, AgentLatticeError (`POLICY_NOT_FOUND`, `GRANT_INVALID`, …),
 *   ConnectionError (also when the time limit ends before the system ever answered); the signal's reason when it is aborted
 */
export async function passGate(ports: GatePorts, action: Action, options: GateOptions): Promise<GateResult> {
  const stop = stopOf(options);
  let submitted: ActionResult | undefined;
  try {
    const wait = options.onRequested === undefined ? holdSeconds : 0;
    submitted = await submit(ports.transport, action, { wait, grant: true, signal: stop.signal });
    if (submitted.status !== 'requested') return await opened(ports, action, submitted);
    options.onRequested?.(submitted as Parameters<typeof options.onRequested>[0]);
    const status = await decisionOf(ports.transport, submitted.approvalId ?? '', stop.signal);
    return await openedAfter(ports, action, submitted, status);
  } catch (error) {
    if (stop.signal?.aborted !== true || error !== stop.signal.reason) throw error;
    return await withdraw(ports, action, submitted, error);
  } finally {
    stop.release();
  }
}

/** Ends with the program's signal or with its time limit. Without either nothing is made, so waiting costs little. */
function stopOf({ signal, timeoutMs }: GateOptions): {
  signal: AbortSignal | undefined;
  release: () => void;
} {
  if (timeoutMs === undefined) return { signal, release: () => {} };
  const controller = new AbortController();
  const abort = () => controller.abort(signal?.reason);
  if (signal?.aborted === true) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setTimeout(() => controller.abort(new GaveUp('the program waits no longer')), timeoutMs);
  return {
    signal: controller.signal,
    release: () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    },
  };
}

async function decisionOf(
  transport: Transport,
  approvalId: string,
  signal?: AbortSignal,
): Promise<ApprovalStatus> {
  let pauseMs = shortestPauseMs;
  for (;;) {
    const begun = Date.now();
    const status = await statusOf(transport, approvalId, { wait: holdSeconds, signal });
    if (status.status !== 'pending' && status.status !== 'escalated') return status;
    if (Date.now() - begun >= heldMs) {
      pauseMs = shortestPauseMs;
      continue;
    }
    await sleep(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, longestPauseMs);
  }
}

/** What a submission came to when nobody has to be waited for. */
async function opened({ keys }: GatePorts, action: Action, result: ActionResult): Promise<GateResult> {
  const { status, auditEventId, approvalId, policyName, grant, denialReason } = result;
  if (status === 'executed') {
    const cleared = await withGrant(keys, action, { grant, approvalId, auditEventId });
    const { reason, resolvedBy, resolvedByName } = result;
    return { ...cleared, status, policyName, reason, resolvedBy, resolvedByName };
  }
  if (status === 'policy_not_found')
    throw new AgentLatticeError(
      'POLICY_NOT_FOUND',
      `No policy is there for "${action.actionType}", so it is not allowed`,
      { details: result },
    );
  if (denialReason === 'approval_timeout') throw new ApprovalTimeoutError(approvalId);
  throw new ApprovalDeniedError({
    ...{ approvalId, auditEventId, reason: denialReason, comment: result.reason },
    ...{ policy: policyName, conditions: result.conditionsEvaluated },
  });
}

/** What a request came to. */
async function openedAfter(
  { keys }: GatePorts,
  action: Action,
  { auditEventId, policyName }: ActionResult,
  status: ApprovalStatus,
): Promise<GateResult> {
  const { approvalId, reason, resolvedBy, resolvedByName, denialReason } = status;
  if (status.status === 'approved') {
    const cleared = await withGrant(keys, action, { grant: status.grant, approvalId, auditEventId });
    return { ...cleared, status: 'approved', policyName, reason, resolvedBy, resolvedByName };
  }
  if (status.status === 'timed_out') throw new ApprovalTimeoutError(approvalId);
  const isCode = denialReason === null || denialReason === reason;
  throw new ApprovalDeniedError({
    ...{ approvalId, auditEventId, policy: policyName },
    ...{ reason: denialReason ?? reason, comment: isCode ? null : reason },
  });
}

/** A yes opens the gate only with the grant that says so. */
async function withGrant(
  keys: PublishedKeys,
  { actionType, metadata, dataAccessed, eventId }: Action,
  cleared: {
    readonly grant: string | null;
    readonly approvalId: string | null;
    readonly auditEventId: string;
  },
) {
  const { grant, approvalId, auditEventId } = cleared;
  if (grant === null) throw invalid('the answer carries no grant');
  await keys.verify(grant, { actionType, metadata, dataAccessed, approvalId, auditEventId });
  return { auditEventId, approvalId, grant, eventId };
}

/** Nobody waits any longer: takes the request back. What was decided meanwhile stands. */
async function withdraw(
  ports: GatePorts,
  action: Action,
  submitted: ActionResult | undefined,
  stopped: unknown,
): Promise<GateResult> {
  const end = await lastWord(ports.transport, action, submitted);
  if (!(stopped instanceof GaveUp)) throw stopped;
  const { known, status } = end;
  if (known !== undefined && known.status !== 'requested') return await opened(ports, action, known);
  if (known === undefined)
    throw new ConnectionError('The system did not answer within the time that the program waits', {
      cause: end.cause,
    });
  const isOpen = status === undefined || status.status === 'pending' || status.status === 'escalated';
  if (isOpen || status.denialReason === 'CANCELLED') throw new ApprovalTimeoutError(known.approvalId, true);
  return await openedAfter(ports, action, known, status);
}

/** What became of a submission that nobody waits for any longer; without what cannot be found out in time. */
async function lastWord(transport: Transport, action: Action, submitted: ActionResult | undefined) {
  const last = { signal: AbortSignal.timeout(lastWordMs), retryForMs: lastWordMs };
  let known = submitted;
  try {
    // The same event id again: the system tells what there is to withdraw.
    known ??= await submit(transport, action, { wait: 0, grant: true, ...last });
    if (known.status !== 'requested') return { known };
    const status = await cancelRequest(
      transport,
      known.approvalId ?? '',
      'the program stopped waiting',
      last,
    );
    return { known, status };
  } catch (cause) {
    // The request may go on waiting until its deadline; what is decided then opens nothing, since nobody waits.
    return { known, cause };
  }
}
