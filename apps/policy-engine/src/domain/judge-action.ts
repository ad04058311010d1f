import { type LiveLinks, liveChain, permits } from './chain-of-links.js';
import { denied, evaluate, type Judgement } from './evaluate.js';
import type { Action, ActingAgent } from './facts.js';
import type { PolicySet } from './select-policy.js';

/** What actions are judged by. */
export interface JudgedBy {
  readonly policies: PolicySet;
  readonly delegations: LiveLinks;
  readonly orgId: string;
  /** Epoch milliseconds by the database's clock: whether delegations are live. */
  readonly now: number;
  /** Epoch milliseconds of `time.*` in conditions. */
  readonly time: number;
}

const strictness: Readonly<Record<Judgement['decision'], number>> = { denied: 0, requested: 1, executed: 2 };

/**
 * Judges an action by the policies and, for an agent that acts for others, by its delegations. Such an agent is denied unless
 * every delegation of its chain is live and covers the action. Policies may test who asks, so the action is judged for the
 * agent and for each agent that it acts for, and the strictest verdict counts: it never may do what its parent may not.
 */
export function judgeAction(
  action: Action,
  { policies, delegations, orgId, now, time }: JudgedBy,
): Judgement {
  const { agent, delegation_id } = action;
  const delegation = agent?.delegation ?? null;
  if (agent?.suspended === true) return denied('AGENT_SUSPENDED', null);
  // The agent names another delegation than its key has, or its key has none.
  if (delegation_id !== null && delegation_id !== delegation?.id) return denied('DELEGATION_SCOPE', null);
  const own = evaluate(policies, action, time);
  if (agent === null || delegation === null) return own;
  const claimed = {
    id: delegation.id,
    agentId: agent.id,
    ancestorIds: delegation.ancestors.map(({ id }) => id),
  };
  const chain = liveChain(delegations, orgId, delegation.id, now);
  if (chain === null || !permits(chain, claimed, action.action_type)) return denied('DELEGATION_SCOPE', null);
  return delegation.ancestors
    .toReversed()
    .map((ancestor) => evaluate(policies, { ...action, agent: asking(ancestor) }, time))
    .reduce((a, b) => (strictness[b.decision] < strictness[a.decision] ? b : a), own);
}

const asking = (ancestor: Omit<ActingAgent, 'suspended'>): ActingAgent => ({ ...ancestor, suspended: false });
