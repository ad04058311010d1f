import { setTimeout as sleep } from 'node:timers/promises';
import { type ApprovalStatus, routes, type RouteOutput } from '@agentlattice/contracts';
import { type Api, submissionText } from '../api-calls.js';
import { exitCode, Failure } from '../exit-code.js';
import type { GateResult } from './gate-result.js';
import type { Ports } from '../ports.js';
import { gateText } from '../render/gate-text.js';
import { safeJson, safeText } from '../render/safe-text.js';
import type { Terminal } from '../terminal.js';
import { GateWaiting } from './gate-waiting.js';
import { type CommandEnd, runCommand } from './run-command.js';
import { exitCodeOf, type Stop, watchForStop } from './stop-watch.js';

export interface GateRequest {
  readonly action: string;
  /** JSON texts. */
  readonly metadata: string;
  readonly dataAccessed: string;
  readonly eventId: string;
  readonly timeoutMs: number | null;
  readonly command: readonly string[];
}

type Submitted = RouteOutput<typeof routes.submitAction>;
type Requested = Extract<Submitted, { status: 'requested' }>;

/** Longest that an answer is held (contract §3). */
const holdSeconds = 60;
/** For the answer to a submission after the gate was stopped. */
const lastAnswerMs = 2_000;
/** For withdrawing a request. */
const cancelWithinMs = 5_000;

/** Submits the action, waits for a decision if a person must decide, and runs the command with the grant. @returns the exit code */
export async function gate(request: GateRequest, ports: Ports): Promise<number> {
  const { api, terminal, json, sayStyle } = ports;
  const result = await withGrant(request, await verdictOf(request, ports), api);
  terminal.say((result.allowed ? sayStyle.good : sayStyle.bad)(gateText(result)));
  let end: CommandEnd | null = null;
  let reported: boolean | null = null;
  if (result.allowed && request.command.length > 0) {
    end = await runCommand(request.command, {
      outputTo: json ? 'stderr' : 'stdout',
      env: { AL_GRANT: result.grant ?? '' },
    });
    if (end.fault !== null) terminal.say(end.fault);
    reported = await report(api, terminal, result, end);
  }
  const code = end?.exit_code ?? exitCodeOfGate(result);
  if (json)
    terminal.print(
      safeJson({ ...result, ...(end === null ? {} : { command: end, reported }), exit_code: code }, 2),
    );
  return code;
}

/** An approval opens the gate only with a valid grant. @returns the same result, or a closed gate */
async function withGrant(request: GateRequest, result: GateResult, api: Api): Promise<GateResult> {
  if (!result.allowed) return result;
  const grant_fault = await api.grantFault(result.grant, {
    ...request,
    approvalId: result.approval_id,
    auditEventId: result.audit_event_id ?? '',
  });
  return grant_fault === null ? result : { ...result, allowed: false, grant_fault };
}

function exitCodeOfGate({ status, allowed, stopped }: GateResult): number {
  if (stopped?.kind === 'signal') return exitCodeOf(stopped.signal);
  if (allowed) return exitCode.ok;
  if (status === 'denied' || status === 'policy_not_found') return exitCode.refused;
  // Without an answer no person was asked, so this is not a time-out of the decision.
  if (status === 'unknown') return exitCode.unreachable;
  return status === 'timed_out' || stopped !== null ? exitCode.timeout : exitCode.refused;
}

async function verdictOf(
  request: GateRequest,
  { api, terminal }: { api: Api; terminal: Terminal },
): Promise<GateResult> {
  const stop = watchForStop(request.timeoutMs);
  const blank: GateResult = {
    status: 'unknown',
    allowed: false,
    action_type: request.action,
    ...{ audit_event_id: null, approval_id: null, policy_name: null, denial_reason: null, reason: null },
    ...{
      resolved_by: null,
      resolved_by_name: null,
      timeout_at: null,
      grant: null,
      grant_fault: null,
      stopped: null,
    },
  };
  try {
    const submitted = await submit(api, request, stop.signal);
    const { audit_event_id, policy_name } = submitted;
    const result = { ...blank, audit_event_id, policy_name };
    switch (submitted.status) {
      case 'executed':
        return allowedUnlessInterrupted(
          { ...result, status: 'executed', grant: submitted.grant ?? null },
          stop.stopped,
        );
      case 'denied':
      case 'policy_not_found': {
        const { status, denial_reason } = submitted;
        return { ...result, status, denial_reason, stopped: stop.stopped };
      }
      case 'requested': {
        const { approval_id, timeout_at } = submitted;
        const asked: GateResult = { ...result, status: 'pending', approval_id, timeout_at };
        return await decisionOf({ api, terminal }, submitted, stop.signal).then(
          (status) => decided(asked, status, stop.stopped),
          async (error: unknown) => {
            if (stop.stopped === null) throw error;
            return decided(asked, await cancel({ api, terminal }, approval_id, stop.stopped), stop.stopped);
          },
        );
      }
    }
  } catch (error) {
    if (stop.stopped === null) throw error;
    // It is unknown whether the request exists; submitting again with the same event id shows it.
    return { ...blank, stopped: stop.stopped };
  } finally {
    stop.release();
  }
}

/**
 * Without holding the answer, so that the request can be named, shown and withdrawn from the first moment on. A gate that is
 * stopped meanwhile still learns what there is to withdraw.
 */
async function submit(api: Api, request: GateRequest, stop: AbortSignal): Promise<Submitted> {
  const late = new AbortController();
  const giveUp = () =>
    void sleep(lastAnswerMs, undefined, { ref: false }).then(() => late.abort(stop.reason));
  stop.addEventListener('abort', giveUp, { once: true });
  try {
    return await api.call(routes.submitAction, {
      body: submissionText(request),
      headers: { 'x-al-event-id': request.eventId, prefer: 'grant' },
      signal: late.signal,
    });
  } finally {
    stop.removeEventListener('abort', giveUp);
  }
}

/** Waits for the decision; unblocks within a round trip of it. @throws the stop */
async function decisionOf(
  { api, terminal }: { api: Api; terminal: Terminal },
  { approval_id, timeout_at }: Requested,
  stop: AbortSignal,
): Promise<ApprovalStatus> {
  const params = { approval_id };
  stop.throwIfAborted();
  const waiting = new GateWaiting({ api, terminal }, approval_id, timeout_at);
  try {
    await waiting.begin(stop);
    for (;;) {
      stop.throwIfAborted();
      const status = await api.call(routes.approvalStatus, {
        params,
        headers: { prefer: `wait=${String(holdSeconds)}` },
        holdMs: holdSeconds * 1_000,
        signal: stop,
      });
      if (status.status !== 'pending' && status.status !== 'escalated') return status;
      if (status.status === 'escalated') waiting.escalated();
    }
  } finally {
    waiting.end();
  }
}

/** Withdraws the request. A decision that came first stands. */
async function cancel(
  { api, terminal }: { api: Api; terminal: Terminal },
  approval_id: string,
  stop: Stop,
): Promise<ApprovalStatus | null> {
  const params = { approval_id };
  const reason = stop.kind === 'timeout' ? 'al gate: --timeout is over' : `al gate: ${stop.signal}`;
  try {
    return await api
      .call(routes.cancelRequest, { params, body: JSON.stringify({ reason }), retryForMs: cancelWithinMs })
      .catch((error: unknown) => {
        if (!(error instanceof Failure) || error.exitCode !== exitCode.refused) throw error;
        return api.call(routes.approvalStatus, { params, retryForMs: cancelWithinMs });
      });
  } catch (error) {
    terminal.say(
      `The request could not be withdrawn and goes on waiting: ${error instanceof Error ? error.message : ''}`,
    );
    return null;
  }
}

function decided(asked: GateResult, status: ApprovalStatus | null, stopped: Stop | null): GateResult {
  if (status === null) return { ...asked, stopped };
  const { denial_reason, reason, resolved_by, resolved_by_name = null, grant } = status;
  const result = { ...asked, denial_reason, reason, resolved_by, resolved_by_name, grant, stopped };
  switch (status.status) {
    case 'approved':
      return allowedUnlessInterrupted({ ...result, status: 'approved' }, stopped);
    case 'timed_out':
      return { ...result, status: 'timed_out' };
    case 'denied':
      return { ...result, status: denial_reason === 'CANCELLED' ? 'cancelled' : 'denied' };
    case 'pending':
    case 'escalated':
      return result;
  }
}

/** A signal means that the action is not wanted any more; `--timeout` only that the wait is over. */
const allowedUnlessInterrupted = (result: GateResult, stopped: Stop | null): GateResult =>
  stopped?.kind === 'signal' ? { ...result, stopped } : { ...result, allowed: true, stopped: null };

async function report(api: Api, terminal: Terminal, { audit_event_id }: GateResult, end: CommandEnd) {
  const { exit_code, signal, seconds, fault } = end;
  const outcome = {
    status: exit_code === 0 ? 'success' : 'failure',
    message: fault ?? (signal === null ? `exit code ${String(exit_code)}` : `ended by ${signal}`),
    metadata: { exit_code, signal, seconds },
  };
  try {
    await api.call(routes.reportOutcome, { body: JSON.stringify({ audit_event_id, outcome }) });
    return true;
  } catch (error) {
    terminal.say(
      `The outcome could not be reported: ${error instanceof Error ? safeText(error.message) : 'unknown'}`,
    );
    return false;
  }
}
