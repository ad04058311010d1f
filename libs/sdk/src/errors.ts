import type { ConditionResult } from './types.js';

/** What more an error knows. */
export interface ErrorDetails {
  /** HTTP status of the answer, where there was one. */
  readonly status?: number;
  /** `X-Request-ID` of the answer: what to name when asking the people who run the system. */
  readonly requestId?: string;
  /** The answer's body, or what else belongs to the error. */
  readonly details?: unknown;
  readonly cause?: unknown;
}

/** Anything that went wrong. `code` is stable: the server's own, or one of ours (`NETWORK_ERROR`, `GRANT_INVALID`, …). */
export class AgentLatticeError extends Error {
  readonly code: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly details: unknown;

  constructor(code: string, message: string, { status, requestId, details, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.status = status;
    this.requestId = requestId;
    this.details = details;
  }
}

/** The system could not be reached, or the connection ended before there was an answer. */
export class ConnectionError extends AgentLatticeError {
  /** Whether no connection came about, so that the request cannot have taken effect. */
  readonly neverSent: boolean;

  constructor(
    message: string,
    { neverSent = false, ...details }: ErrorDetails & { neverSent?: boolean } = {},
  ) {
    super('NETWORK_ERROR', message, details);
    this.neverSent = neverSent;
  }
}

/** What a denial knows. */
export interface Denial {
  /** Null when a policy denied and no person was asked. */
  readonly approvalId: string | null;
  /** Why, as a code: `POLICY_DENIED`, `DENIED_BY_REVIEWER`, … */
  readonly reason: string | null;
  /** What the person who denied it wrote. */
  readonly comment?: string | null;
  readonly policy?: string | null;
  readonly conditions?: readonly ConditionResult[];
  readonly auditEventId?: string;
}

/** A policy or a person said no. */
export class ApprovalDeniedError extends AgentLatticeError {
  readonly approvalId: string | null;
  readonly reason: string | null;
  readonly comment: string | null;
  readonly policy: string | null;
  readonly conditions: readonly ConditionResult[];
  readonly auditEventId: string | undefined;

  constructor({ approvalId, reason, comment = null, policy = null, conditions = [], auditEventId }: Denial) {
    const why = [reason, comment].filter((part) => part !== null).join(': ');
    super(
      'ACTION_DENIED',
      `The action was denied${why === '' ? '' : ` (${why})`}${approvalId === null ? '' : `, request ${approvalId}`}`,
    );
    this.approvalId = approvalId;
    this.reason = reason;
    this.comment = comment;
    this.policy = policy;
    this.conditions = conditions;
    this.auditEventId = auditEventId;
  }
}

/** Nobody decided in time, by the policy's deadline or by the program's own. */
export class ApprovalTimeoutError extends AgentLatticeError {
  readonly approvalId: string | null;
  /** Whether the program stopped waiting before the deadline. */
  readonly gaveUp: boolean;

  constructor(approvalId: string | null, gaveUp = false) {
    super(
      'APPROVAL_TIMEOUT',
      `Nobody decided ${approvalId === null ? 'the request' : `request ${approvalId}`} ${gaveUp ? 'within the time that the program waits' : 'before its deadline'}`,
    );
    this.approvalId = approvalId;
    this.gaveUp = gaveUp;
  }
}

export { ApprovalDeniedError as AgentLatticeDeniedError, ApprovalTimeoutError as AgentLatticeTimeoutError };
