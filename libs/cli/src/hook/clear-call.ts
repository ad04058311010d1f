import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ActionResult,
  type AgentLattice,
  AgentLatticeError,
  type ApprovalStatus,
} from '@agentlattice/sdk';
import { personText } from '../render/person-text.js';
import { safeText } from '../render/safe-text.js';
import type { OpenRequest, OpenRequests } from './open-requests.js';
import type { JsonObject, ToolCall } from './tool-call.js';

/** The call must not be made; the message tells the agent why and what to do. */
export class Blocked extends Error {}

export interface AskedCall {
  readonly actionType: string;
  readonly metadata: JsonObject;
}

export interface ClearingPorts {
  readonly client: Pick<AgentLattice, 'execute' | 'approvalStatus' | 'verifyGrant' | 'consumeGrant'>;
  readonly requests: Pick<OpenRequests, 'find' | 'close'>;
  /** Different for each system and key. */
  readonly caller: string;
  /** Where a person finds a request. */
  readonly linkTo: (approvalId: string) => string;
  /** Aborted when the hook must end. */
  readonly signal: AbortSignal;
}

export const askedCall = (
  { host, tool, cwd }: ToolCall,
  actionType: string,
  input: JsonObject,
): AskedCall => ({ actionType, metadata: { host, tool, input, cwd, machine: hostname() } });

/**
 * Returns when exactly this call may be made now: a policy allows it, or a person approved it and its grant was consumed by
 * this process.
 * @throws Blocked; errors of the SDK; the signal's reason
 */
export async function clearCall(asked: AskedCall, ports: ClearingPorts): Promise<void> {
  const identity = { caller: ports.caller, ...asked };
  for (let attempt = 0; attempt < attempts; attempt++) {
    const request = await ports.requests.find(identity);
    const answer = await answerTo(asked, request, ports);
    if (answer === 'open') throw new Blocked('the request was not decided');
    if (answer !== 'stale') {
      await ports.requests.close(identity, request);
      if (answer === 'cleared') return;
      throw answer;
    }
    await ports.requests.close(identity, request);
  }
  throw new Blocked('other processes used every grant that was given for this call. Run it again.');
}

/** Once for what an earlier process left, once anew, and some more where identical calls run at once. */
const attempts = 4;

type Answer = 'cleared' | 'stale' | 'open' | Blocked;

async function answerTo(asked: AskedCall, request: OpenRequest, ports: ClearingPorts): Promise<Answer> {
  const { client, signal } = ports;
  const { eventId, isNew } = request;
  const submitted = await client.execute(asked.actionType, {
    ...{ metadata: asked.metadata, eventId, grant: true, signal },
  });
  if (submitted.approvalId !== null) return await decided(asked, submitted, submitted.approvalId, ports);
  // The answer to an earlier call says nothing about the policies of today.
  if (!isNew) return 'stale';
  if (submitted.status !== 'executed') return denial(asked, submitted);
  if (submitted.grant === null) return new Blocked('the answer carries no grant');
  await client.verifyGrant(submitted.grant, {
    ...{ actionType: asked.actionType, metadata: asked.metadata },
    ...{ approvalId: null, auditEventId: submitted.auditEventId },
  });
  return 'cleared';
}

async function decided(
  asked: AskedCall,
  submitted: ActionResult,
  approvalId: string,
  ports: ClearingPorts,
): Promise<Answer> {
  const status = await decisionOf(approvalId, ports);
  if (status.status === 'timed_out')
    return new Blocked(`nobody decided ${approvalId} in time (approval_timeout)`);
  if (status.status !== 'approved') {
    if (status.reason === 'GRANT_EXPIRED') return 'stale';
    const by =
      status.resolvedBy === null ? '' : ` by ${personText(status.resolvedBy, status.resolvedByName)}`;
    const reason =
      status.reason === null || status.reason === status.denialReason ? '' : `: ${safeText(status.reason)}`;
    const code = status.denialReason === null ? '' : ` (${safeText(status.denialReason)})`;
    return new Blocked(`denied${by}${reason}${code}, request ${approvalId}. Do not try the same call again.`);
  }
  return await used(asked, submitted, status, ports);
}

/** Uses the grant up: of several identical calls one gets through. */
async function used(
  asked: AskedCall,
  { auditEventId }: ActionResult,
  { grant, approvalId }: ApprovalStatus,
  { client }: ClearingPorts,
): Promise<Answer> {
  if (grant === null) return new Blocked(`${approvalId} is approved, but its grant is not given out`);
  const action = { actionType: asked.actionType, metadata: asked.metadata, dataAccessed: [] };
  try {
    const claims = await client.verifyGrant(grant, { ...action, approvalId, auditEventId });
    await client.consumeGrant(grant, claims.action_digest);
    return 'cleared';
  } catch (error) {
    const isSpent =
      error instanceof AgentLatticeError &&
      (['GRANT_CONSUMED', 'GRANT_EXPIRED'].includes(error.code) ||
        error.details === 'the grant has run out; ask anew');
    if (!isSpent) throw error;
    return 'stale';
  }
}

/** An answer that comes sooner was not held by the system. */
const heldMs = 1_000;

async function decisionOf(approvalId: string, ports: ClearingPorts): Promise<ApprovalStatus> {
  const { client, signal } = ports;
  try {
    for (let waitSeconds = 0; ; waitSeconds = 60) {
      const begun = performance.now();
      const status = await client.approvalStatus(approvalId, { waitSeconds, signal });
      if (status.status !== 'pending' && status.status !== 'escalated') return status;
      if (waitSeconds > 0 && performance.now() - begun < heldMs) await sleep(heldMs, undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Blocked(
      `it waits for the approval ${approvalId} of a person: ${ports.linkTo(approvalId)} . Run exactly the same call again when it is approved.`,
      { cause: error },
    );
  }
}

function denial({ actionType }: AskedCall, { status, denialReason, policyName }: ActionResult): Blocked {
  if (status === 'policy_not_found')
    return new Blocked(`no policy matches ${actionType}; an administrator of AgentLattice can add one`);
  const policy = policyName === null ? '' : ` by the policy ${safeText(policyName)}`;
  return new Blocked(`denied${policy}: ${actionType} (${safeText(denialReason ?? 'denied')})`);
}
