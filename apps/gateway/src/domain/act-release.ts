import {
  type ApprovalStatus,
  type ApprovalView,
  Refused,
  type RouteId,
  type RouteOutput,
  type routes,
} from '@agentlattice/contracts';

/** Whether an agent may act at all at one moment. */
export interface AgentStanding {
  /** It is suspended, or an agent that it acts for. */
  readonly suspended: boolean;
  /** When the last of them was resumed, in epoch milliseconds; null when none was suspended ever. */
  readonly resumedAt: number | null;
  /** The delegation that it lives by, or one above it, was revoked or has expired. */
  readonly delegationEnded: boolean;
}

/** The times between which an action is cleared, in epoch milliseconds: the lifetime of its grant. */
export interface Cleared {
  readonly from: number;
  readonly until: number;
}

/** The state at the moment an answer is sent. */
export interface Moment {
  /** The caller that gets the answer. An onlooker sees requests and may not decide them. */
  readonly reader: 'agent' | 'operator' | 'service' | 'onlooker';
  /** The agent that reads; null for other callers. An agent also sees requests of agents that act for it. */
  readonly readerId: string | null;
  /** Of the agent that reads, else of the agent that the answer is about; looked up after all waiting. Null: unknown. */
  readonly standing: AgentStanding | null;
  /** Of other agents that the answer is about, where an agent reads it; looked up after all waiting. */
  readonly others: ReadonlyMap<string, AgentStanding | null>;
  /** By the database's clock, in epoch milliseconds. */
  readonly now: number;
  /** Of an allowed action without a grant; null: unknown. */
  readonly cleared: Cleared | null;
}

type Why = 'AGENT_SUSPENDED' | 'DELEGATION_SCOPE' | 'GRANT_EXPIRED';

/**
 * The rule: whether an answer may let an agent act. Never while the agent is suspended, or one that it acts for, and never
 * after its delegation has ended. A clearance from before it was resumed counts only within the lifetime of its grant.
 * @returns null when the agent may act
 */
export function releaseRefusal({ standing, now }: Moment, cleared: Cleared | null): Why | null {
  if (standing === null || standing.suspended) return 'AGENT_SUSPENDED';
  if (standing.delegationEnded) return 'DELEGATION_SCOPE';
  if (standing.resumedAt === null) return null;
  const lives = cleared !== null && (cleared.from >= standing.resumedAt || now < cleared.until);
  return lives ? null : 'GRANT_EXPIRED';
}

/** The moment for what belongs to one agent: an agent may also read what belongs to an agent that acts for it. */
const momentFor = (moment: Moment, agentId: string | null): Moment =>
  moment.reader !== 'agent' || agentId === null || agentId === moment.readerId
    ? moment
    : { ...moment, standing: moment.others.get(agentId) ?? null };

/** The claims of a grant. The signature is not checked, because the grant comes from the service that signed it. */
export function claimsOf(
  grant: string | null | undefined,
): { readonly agentId: string; readonly cleared: Cleared } | null {
  if (grant === null || grant === undefined) return null;
  try {
    const [, payload = ''] = grant.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const { sub, iat, exp } = claims;
    if (typeof sub !== 'string' || typeof iat !== 'number' || typeof exp !== 'number') return null;
    return { agentId: sub, cleared: { from: iat * 1_000, until: exp * 1_000 } };
  } catch {
    return null;
  }
}

type AgentRouteId = {
  [Id in RouteId]: (typeof routes)[Id]['callers'] extends readonly string[]
    ? 'agent' extends (typeof routes)[Id]['callers'][number]
      ? Id
      : never
    : never;
}[RouteId];
type Body<Id extends RouteId> = RouteOutput<(typeof routes)[Id]>;
type Rule<Id extends RouteId> = (body: Body<Id>, moment: Moment) => Body<Id>;

/** The answer lets no agent act: it describes the caller, the policies, or past events. */
const letsNoAgentAct = null;

/** Every route that an agent may call; one that is missing does not compile. */
const rules: { readonly [Id in AgentRouteId]: Rule<Id> | typeof letsNoAgentAct } = {
  submitAction: submitted,
  issueGrant: unlessSuspended,
  consumeGrant: unlessSuspended,
  approvalStatus: status,
  approvalStatusUnversioned: status,
  cancelRequest: status,
  getApproval: view,
  listApprovals: ({ approvals, ...rest }, moment) => ({
    ...rest,
    approvals: approvals.map((approval) => view(approval, moment)),
  }),
  checkPolicy: letsNoAgentAct,
  checkPolicyWithMetadata: letsNoAgentAct,
  liveEvents: letsNoAgentAct,
  whoami: letsNoAgentAct,
  delegate: unlessSuspended,
  endDelegation: letsNoAgentAct,
  listDelegations: letsNoAgentAct,
  revokeDelegation: letsNoAgentAct,
  listPolicies: letsNoAgentAct,
  listAuditEvents: letsNoAgentAct,
  verifyAudit: letsNoAgentAct,
  reportOutcome: letsNoAgentAct,
  posture: letsNoAgentAct,
};

/** The rule for the answers of a route; null when they let no agent act. */
export function releaseOf(routeId: string): ((body: unknown, moment: Moment) => unknown) | null {
  const rule = Object.hasOwn(rules, routeId) ? rules[routeId as AgentRouteId] : null;
  return rule as ((body: unknown, moment: Moment) => unknown) | null;
}

/** The agent that an answer is about, when another caller reads it. */
export function agentIn(body: unknown): string | null {
  const { grant, agent_id } = body as { grant?: unknown; agent_id?: unknown };
  if (typeof agent_id === 'string') return agent_id;
  return typeof grant === 'string' ? (claimsOf(grant)?.agentId ?? null) : null;
}

/** The agents whose clearances a body shows. */
export function clearedAgentsIn(body: unknown): readonly string[] {
  const { approvals } = body as { approvals?: unknown };
  if (Array.isArray(approvals)) return approvals.flatMap(clearedAgentsIn);
  if (!couldLetAct(body)) return [];
  const { agent, grant } = body as { agent?: { id?: unknown }; grant?: unknown };
  const ids = [agent?.id, typeof grant === 'string' ? claimsOf(grant)?.agentId : undefined];
  return ids.filter((id) => typeof id === 'string');
}

/** Whether a body could let an agent act. All others pass the rules unchanged, whatever the standing of the agent. */
export function couldLetAct(body: unknown): boolean {
  const { status, grant, child_api_key, approvals } = body as Readonly<Record<string, unknown>>;
  if (status === 'executed' || status === 'approved' || status === 'consumed') return true;
  if (typeof grant === 'string' || typeof child_api_key === 'string') return true;
  return Array.isArray(approvals) && approvals.some(couldLetAct);
}

function submitted(body: Body<'submitAction'>, moment: Moment): Body<'submitAction'> {
  if (body.status !== 'executed') return body;
  const why = releaseRefusal(moment, claimsOf(body.grant)?.cleared ?? moment.cleared);
  if (why === null) return body;
  const { audit_event_id, policy_name, conditions_evaluated, approval_id } = body;
  return {
    status: 'denied',
    verdict: 'denied',
    denial_reason: reasonOf(why),
    policy_name,
    audit_event_id,
    conditions_evaluated,
    ...(approval_id === undefined ? {} : { approval_id }),
    reason: why,
  };
}

/** People see the state of the request. Those who may decide it also get its grant, while the agent may use it. */
function status(body: ApprovalStatus, moment: Moment): ApprovalStatus {
  if (body.status !== 'approved') return { ...body, grant: null };
  const claims = claimsOf(body.grant);
  const why = releaseRefusal(momentFor(moment, claims?.agentId ?? null), claims?.cleared ?? null);
  if (moment.reader !== 'agent')
    return why === null && moment.reader === 'operator' ? body : { ...body, grant: null };
  if (why !== null) return { ...body, ...notForTheAgent(why), grant: null };
  // The grant of a child is for the child alone.
  const grantee = claims?.agentId ?? moment.readerId;
  return grantee === moment.readerId ? body : { ...body, grant: null };
}

/** A request of the agent that reads, or of one that acts for it. It contains no grant, and it must not read as permission either. */
function view(body: ApprovalView, moment: Moment): ApprovalView {
  if (moment.reader !== 'agent' || body.status !== 'approved') return body;
  const why = releaseRefusal(momentFor(moment, body.agent.id), clearedIn(body));
  if (why === null) return body;
  return {
    ...body,
    ...notForTheAgent(why),
    scope: null,
    votes: [],
    history: body.history.filter(({ type }) => type !== 'approval.approved'),
  };
}

const clearedIn = ({ resolved_at, grant_expires_at }: ApprovalView): Cleared | null =>
  typeof resolved_at === 'string' && typeof grant_expires_at === 'string'
    ? { from: Date.parse(resolved_at), until: Date.parse(grant_expires_at) }
    : null;

const reasonOf = (why: Why) => (why === 'DELEGATION_SCOPE' ? why : 'AGENT_SUSPENDED');

const notForTheAgent = (why: Why) =>
  ({
    status: 'denied',
    denial_reason: reasonOf(why),
    reason: why,
    resolved_by: null,
    resolved_by_name: null,
    resolved_at: null,
  }) as const;

/** @throws Refused AGENT_SUSPENDED or DELEGATION_SCOPE */
function unlessSuspended<B extends Body<'issueGrant'> | Body<'consumeGrant'> | Body<'delegate'>>(
  body: B,
  moment: Moment,
): B {
  if (moment.standing?.suspended !== false)
    throw new Refused(
      'AGENT_SUSPENDED',
      'the agent is suspended, or one that it acts for: it gets no grant, and its grants cannot be used',
    );
  if (moment.standing.delegationEnded)
    throw new Refused(
      'DELEGATION_SCOPE',
      'the delegation of the agent has ended: it gets no grant, and its grants cannot be used',
    );
  return body;
}
