export type JsonObject = Readonly<Record<string, unknown>>;

export interface ConditionResult {
  readonly field: string;
  readonly operator: string;
  readonly expected: unknown;
  readonly result: boolean;
}

/** What an action is about: shown to the person who decides, and bound by the grant. */
export interface ActionOptions {
  readonly metadata?: JsonObject;
  readonly dataAccessed?: readonly JsonObject[];
  /** Idempotency key, at most 255 characters; drawn when missing. The same id with the same content is the same action. */
  readonly eventId?: string;
  /** Ends the call. A request that waits for a person is withdrawn. */
  readonly signal?: AbortSignal;
}

export interface GateOptions extends ActionOptions {
  /** How long the program waits at most, in milliseconds; then the request is withdrawn. Default: until the policy's deadline. */
  readonly timeoutMs?: number;
  /** Told as soon as a person must decide; costs one request more. */
  readonly onRequested?: (request: Requested) => void;
}

/** A request that waits for a person. */
export interface Requested {
  readonly approvalId: string;
  readonly auditEventId: string;
  /** When it is denied if nobody decides (RFC 3339). */
  readonly timeoutAt: string;
  readonly policyName: string;
  readonly message: string;
  /** How many members may decide it as things stand. */
  readonly eligibleApprovers: number | null;
}

export interface ActionResult {
  readonly verdict: 'executed' | 'pending_approval' | 'denied';
  readonly status: 'executed' | 'requested' | 'denied' | 'policy_not_found';
  readonly auditEventId: string;
  /** What the action was submitted under. */
  readonly eventId: string;
  readonly policyName: string | null;
  readonly conditionsEvaluated: readonly ConditionResult[];
  readonly approvalId: string | null;
  readonly timeoutAt: string | null;
  readonly message: string | null;
  readonly denialReason: string | null;
  /** What the person who decided it wrote, where one did while the answer was held. */
  readonly reason: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedByName: string | null;
  readonly eligibleApprovers: number | null;
  readonly grant: string | null;
}

/** How a gate opened. */
export interface GateResult {
  /** `executed`: no person was asked, or one approved while the submission was held; `approved`: after waiting. */
  readonly status: 'executed' | 'approved';
  readonly auditEventId: string;
  readonly eventId: string;
  readonly approvalId: string | null;
  readonly policyName: string | null;
  /** What the person who approved wrote, where it is known. */
  readonly reason: string | null;
  /** The member who approved, and their name; null when no person did. */
  readonly resolvedBy: string | null;
  readonly resolvedByName: string | null;
  /** Compact JWS, checked: exactly this action was cleared. */
  readonly grant: string;
}

export interface ApprovalStatus {
  readonly status: 'pending' | 'escalated' | 'approved' | 'denied' | 'timed_out';
  readonly approvalId: string;
  readonly reason: string | null;
  readonly denialReason: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedByName: string | null;
  readonly resolvedAt: string | null;
  readonly timeoutAt: string;
  readonly grant: string | null;
}

interface Tally {
  readonly have: number;
  readonly need: number;
}

/** A request as operators see it. What the agent wrote (`metadata`, `dataAccessed`) is untrusted text. */
export interface Approval {
  readonly id: string;
  readonly approvalId: string;
  readonly auditEventId: string;
  readonly status: 'pending' | 'escalated' | 'approved' | 'denied' | 'timed_out' | 'cancelled';
  readonly escalationLevel: number;
  readonly agent: { readonly id: string; readonly name: string };
  readonly actionType: string;
  readonly actionDigest: string;
  readonly policy: { readonly id: string; readonly name: string; readonly version: number };
  readonly policyName: string;
  readonly metadata: JsonObject;
  readonly dataAccessed: readonly unknown[];
  readonly conditionsEvaluated: readonly ConditionResult[];
  readonly createdAt: string;
  readonly timeoutAt: string;
  readonly timeLeftSeconds: number;
  readonly approvals: Tally;
  readonly denials: Tally;
  readonly seatsOpen: readonly { readonly group: string | null; readonly count: number }[];
  readonly reason: string | null;
  readonly denialReason: string | null;
  readonly resolvedBy: string | null;
  readonly resolvedByName?: string | null;
  readonly resolvedAt: string | null;
}

export interface ApprovalQuery {
  /** `pending` includes escalated ones. */
  readonly status?: Approval['status'];
  readonly actionType?: string;
  readonly agentId?: string;
  readonly cursor?: string;
  /** 1 to 200. */
  readonly limit?: number;
}

export interface ApprovalPage {
  readonly approvals: readonly Approval[];
  readonly nextCursor: string | null;
}

/** A vote that does not complete the request. */
export interface VotePending {
  readonly status: 'pending';
  readonly approvalId: string;
  readonly approvals: Tally;
  readonly denials: Tally;
  readonly seatsOpen: readonly { readonly group: string | null; readonly count: number }[];
}

export interface PolicyCheck {
  readonly allowed: boolean;
  readonly needsApproval: boolean;
  readonly actionType: string;
  readonly policyName: string | null;
  readonly reason: string;
  readonly conditionsEvaluated: readonly ConditionResult[];
}

export interface PolicySummary {
  readonly id: string;
  readonly name: string;
  readonly actionType: string;
  readonly approvalRequired: boolean;
  readonly hasConditions: boolean;
  readonly version: number;
  readonly createdAt: string;
}

export interface DelegationEntry {
  readonly id: string;
  readonly scope: JsonObject;
  readonly expiresAt: string;
  readonly active: boolean;
  readonly parentConfigId: string | null;
  readonly childConfigId: string | null;
}

export interface Whoami {
  readonly configId: string;
  readonly name: string;
  readonly orgId: string;
  readonly isActive: boolean;
  /** `open` while the agent is suspended. */
  readonly cbState: 'closed' | 'open';
  readonly policies: readonly PolicySummary[];
  readonly delegations: {
    readonly asParent: readonly DelegationEntry[];
    readonly asChild: readonly DelegationEntry[];
  };
}

export interface Policies {
  readonly scope: 'own' | 'org';
  readonly policies: readonly PolicySummary[];
  readonly nextCursor: string | null;
}

export interface AuditEvent {
  readonly id: string;
  readonly seq: number;
  readonly type: string;
  readonly decision: string | null;
  readonly status: string;
  readonly actionType: string | null;
  readonly timestamp: string;
  readonly createdAt: string;
  readonly agent: { readonly id: string; readonly name: string } | null;
  readonly operator: { readonly id: string; readonly name: string | null; readonly via: string } | null;
  readonly resolvedBy: string | null;
  readonly reason: string | null;
  readonly note: string | null;
  readonly approvalId: string | null;
  readonly metadata: JsonObject | null;
  readonly dataAccessed: readonly unknown[];
}

export interface AuditPage {
  readonly events: readonly AuditEvent[];
  readonly nextCursor: string | null;
}

export interface AuditQuery {
  readonly cursor?: string;
  /** 1 to 200. */
  readonly limit?: number;
  readonly actionType?: string;
  readonly type?: string;
  readonly decision?: string;
  readonly approvalId?: string;
  readonly agentId?: string;
  readonly operatorId?: string;
  readonly policyId?: string;
  /** RFC 3339. */
  readonly fromTime?: string;
  readonly toTime?: string;
}

export interface Verification {
  readonly orgId: string;
  readonly chainValid: boolean;
  readonly verifiedThroughRow: number;
  readonly chainHash: string | null;
  readonly firstBrokenAtRowId: string | null;
  readonly verifiedFromCheckpoint: boolean;
  readonly timestamp: string;
}

export interface Outcome {
  readonly status: 'success' | 'failure' | 'partial';
  readonly message?: string;
  readonly metadata?: JsonObject;
}

export interface Report {
  readonly auditEventId: string;
  readonly status: string;
  readonly reportedAt: string;
}

export interface Posture {
  /** 0 to 100. */
  readonly score: number;
  readonly components: Readonly<Record<string, { readonly score: number; readonly max: number }>>;
}

export interface ConsumedGrant {
  readonly status: 'consumed';
  readonly approvalId: string;
  readonly auditEventId: string;
  readonly agentId: string;
  readonly actionType: string;
  readonly actionDigest: string;
  readonly consumedAt: string;
}
