import { camelCased } from './casing.js';
import { AgentLatticeError } from './errors.js';
import type { Answer, Transport } from './transport.js';
import type { ActionOptions, ActionResult, ApprovalStatus } from './types.js';

/** An action with all its parts, as it is sent. */
export interface Action {
  readonly actionType: string;
  readonly metadata: NonNullable<ActionOptions['metadata']>;
  readonly dataAccessed: NonNullable<ActionOptions['dataAccessed']>;
  readonly eventId: string;
}

/** Longest that an answer is held, in seconds (contract §3). */
export const holdSeconds = 60;

export const actionOf = (actionType: string, options: ActionOptions): Action => ({
  actionType,
  metadata: options.metadata ?? {},
  dataAccessed: options.dataAccessed ?? [],
  eventId: options.eventId ?? crypto.randomUUID(),
});

export interface SubmitOptions {
  /** Waits for the decision up to this long, in seconds; 0: not. */
  readonly wait: number;
  readonly grant: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly retryForMs?: number;
}

/** Submits an action. Repeated with the same event id it is the same action, so it may be sent again. */
export async function submit(
  transport: Transport,
  { actionType, metadata, dataAccessed, eventId }: Action,
  { wait, grant, ...call }: SubmitOptions,
): Promise<ActionResult> {
  const prefer = [wait > 0 ? `wait=${String(wait)}` : '', grant ? 'grant' : ''].filter((part) => part !== '');
  const answer = await transport.call('POST', '/api/v1/actions', {
    ...call,
    body: { action_type: actionType, metadata, data_accessed: dataAccessed },
    headers: { 'x-al-event-id': eventId, ...(prefer.length > 0 ? { prefer: prefer.join(', ') } : {}) },
    holdMs: wait * 1_000,
  });
  return resultOf(answer, eventId);
}

const verdicts = {
  executed: 'executed',
  requested: 'pending_approval',
  denied: 'denied',
  policy_not_found: 'denied',
} as const;

function resultOf({ body }: Answer, eventId: string): ActionResult {
  const blank: Omit<ActionResult, 'verdict' | 'status' | 'auditEventId'> = {
    ...{
      eventId,
      policyName: null,
      conditionsEvaluated: [],
      approvalId: null,
      timeoutAt: null,
      message: null,
    },
    ...{ denialReason: null, reason: null, resolvedBy: null, resolvedByName: null },
    ...{ eligibleApprovers: null, grant: null },
  };
  const result = { ...blank, ...(camelCased(body) as ActionResult), eventId };
  // What is not known to be a yes is none.
  if (!Object.hasOwn(verdicts, result.status) || verdicts[result.status] !== result.verdict)
    throw unexpected(body);
  if (result.status === 'requested' && typeof result.approvalId !== 'string') throw unexpected(body);
  return result;
}

const statuses: ReadonlySet<unknown> = new Set(['pending', 'escalated', 'approved', 'denied', 'timed_out']);

/** How a request stands, held back until it is decided or `wait` seconds have passed. */
export async function statusOf(
  transport: Transport,
  approvalId: string,
  { wait, ...call }: Omit<SubmitOptions, 'grant'>,
): Promise<ApprovalStatus> {
  const { body } = await transport.call('GET', `/api/v1/approvals/${encodeURIComponent(approvalId)}/status`, {
    ...call,
    ...(wait > 0 ? { headers: { prefer: `wait=${String(wait)}` } } : {}),
    holdMs: wait * 1_000,
  });
  return readStatus(body);
}

/** Withdraws a request. @returns how it stands then: somebody may have been faster */
export async function cancelRequest(
  transport: Transport,
  approvalId: string,
  reason: string | undefined,
  call: { readonly signal?: AbortSignal | undefined; readonly retryForMs?: number } = {},
): Promise<ApprovalStatus> {
  const path = `/api/v1/approvals/${encodeURIComponent(approvalId)}/cancel`;
  try {
    const { body } = await transport.call('POST', path, {
      ...call,
      body: reason === undefined ? {} : { reason },
    });
    return readStatus(body);
  } catch (error) {
    if (!(error instanceof AgentLatticeError) || error.status !== 409) throw error;
    return statusOf(transport, approvalId, { wait: 0, ...call });
  }
}

function readStatus(body: Answer['body']): ApprovalStatus {
  if (!statuses.has(body['status'])) throw unexpected(body);
  const blank: Partial<ApprovalStatus> = {
    ...{ denialReason: null, reason: null, resolvedBy: null, resolvedByName: null, grant: null },
  };
  return { ...blank, ...(camelCased(body) as ApprovalStatus) };
}

const unexpected = (body: unknown) =>
  new AgentLatticeError('UNEXPECTED_ANSWER', 'The answer is none that this version knows', { details: body });
