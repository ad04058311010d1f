import {
  type AgentRef,
  type DomainEvent,
  maxDelegationDepth,
  maxLiveDelegations,
  Refused,
} from '@agentlattice/contracts';
import { assertNever, type Decider } from '@agentlattice/decider';
import { coveredByOne } from './capability.js';

export interface KnownDelegation {
  readonly status: 'live' | 'revoked' | 'expired';
  readonly id: string;
  readonly agent: AgentRef;
  /** The agents that the child acts for: the first one first, the parent last. */
  readonly actingFor: readonly AgentRef[];
  /** The delegations above it, the first one first. */
  readonly above: readonly string[];
  readonly capabilities: readonly string[];
  readonly expiresAt: Date;
}
export type Delegation = { readonly status: 'none' } | KnownDelegation;

/** The agent that delegates. */
export interface Parent {
  readonly agent: AgentRef;
  /** The delegations that it lives by, the first one first and its own last; empty when it acts for no other agent. */
  readonly chain: readonly Delegation[];
}

export interface CreateDelegation {
  readonly type: 'CreateDelegation';
  readonly id: string;
  readonly child: AgentRef;
  readonly parent: Parent;
  readonly capabilities: readonly string[];
  readonly ttlSeconds: number;
  /** The live delegations below the agent at the beginning of the chain. */
  readonly liveInTree: number;
  readonly now: Date;
}
export type DelegationCommand =
  | CreateDelegation
  /** `revokedWith`: the delegation above it that is revoked; null when it is this one. */
  | { readonly type: 'RevokeDelegation'; readonly revokedWith: string | null; readonly now: Date }
  | { readonly type: 'ExpireDelegation'; readonly now: Date };

export type DelegationEvent = DomainEvent<'delegation.created' | 'delegation.revoked' | 'delegation.expired'>;

/** One stream for each delegation. Whether it may be used also depends on those above it (`chain-of-links.ts`). */
export const delegationDecider: Decider<Delegation, DelegationCommand, DelegationEvent> = {
  initialState: () => ({ status: 'none' }),

  decide(command, state) {
    switch (command.type) {
      case 'CreateDelegation':
        return state.status === 'none' ? [created(command)] : [];
      case 'RevokeDelegation': {
        if (state.status === 'none') throw noDelegation();
        if (state.status !== 'live') return [];
        if (isOver(state, command.now)) return [expired(state)];
        return [
          { type: 'delegation.revoked', data: { ...subjectOf(state), revoked_with: command.revokedWith } },
        ];
      }
      case 'ExpireDelegation':
        return state.status === 'live' && isOver(state, command.now) ? [expired(state)] : [];
      default:
        return assertNever(command);
    }
  },

  evolve(state, event) {
    switch (event.type) {
      case 'delegation.created': {
        const {
          delegation_id: id,
          agent,
          acting_for: actingFor,
          above,
          capabilities,
          expires_at,
        } = event.data;
        return {
          status: 'live',
          id,
          agent,
          actingFor,
          above,
          capabilities,
          expiresAt: new Date(expires_at),
        };
      }
      case 'delegation.revoked':
        return state.status === 'none' ? state : { ...state, status: 'revoked' };
      case 'delegation.expired':
        return state.status === 'none' ? state : { ...state, status: 'expired' };
      default:
        return assertNever(event);
    }
  },
};

/** Whether an agent may revoke a delegation: the parent, and those that the parent acts for. */
export const mayRevoke = (agentId: string, { actingFor }: KnownDelegation): boolean =>
  actingFor.some(({ id }) => id === agentId);

export const noDelegation = () => new Refused('NOT_FOUND', 'there is no such delegation in this workspace');

/** @throws Refused DELEGATION_SCOPE or DELEGATION_LIMIT */
function created(command: CreateDelegation): DelegationEvent {
  const { id, child, parent, capabilities, ttlSeconds, liveInTree, now } = command;
  const links = parent.chain.map((link) => usable(link, now));
  const own = links.at(-1);
  if (own !== undefined && own.agent.id !== parent.agent.id)
    throw new Refused('DELEGATION_SCOPE', 'the delegation is that of another agent');
  refuseWider(capabilities, own?.capabilities ?? ['*']);
  if (links.length >= maxDelegationDepth)
    throw new Refused(
      'DELEGATION_LIMIT',
      `a chain has at most ${String(maxDelegationDepth)} delegations; this agent cannot delegate any further`,
    );
  if (liveInTree >= maxLiveDelegations)
    throw new Refused(
      'DELEGATION_LIMIT',
      `an agent has at most ${String(maxLiveDelegations)} live delegations, with those of its children; revoke some of them first`,
    );
  const ends = links.map(({ expiresAt }) => expiresAt.getTime());
  return {
    type: 'delegation.created',
    data: {
      delegation_id: id,
      agent: refOf(child),
      acting_for: [...(own?.actingFor ?? []), parent.agent].map(refOf),
      above: links.map((link) => link.id),
      capabilities: [...capabilities],
      expires_at: new Date(Math.min(now.getTime() + ttlSeconds * 1_000, ...ends)).toISOString(),
    },
  };
}

function usable(link: Delegation, now: Date): KnownDelegation {
  if (link.status !== 'live' || isOver(link, now))
    throw new Refused(
      'DELEGATION_SCOPE',
      'the delegation of this agent, or one above it, was revoked or has expired',
    );
  return link;
}

function refuseWider(capabilities: readonly string[], parents: readonly string[]): void {
  const errors = capabilities.flatMap((capability, i) =>
    coveredByOne(parents, capability)
      ? []
      : [{ pointer: `/capabilities/${String(i)}`, detail: 'is not covered by a capability of the parent' }],
  );
  if (errors.length > 0)
    throw new Refused('DELEGATION_SCOPE', 'a child cannot have more capabilities than its parent', {
      errors,
    });
}

const isOver = ({ expiresAt }: KnownDelegation, now: Date) => now.getTime() >= expiresAt.getTime();

const expired = (state: KnownDelegation): DelegationEvent => ({
  type: 'delegation.expired',
  data: { ...subjectOf(state), expires_at: state.expiresAt.toISOString() },
});

const subjectOf = ({ id, agent, actingFor }: KnownDelegation) => ({
  delegation_id: id,
  agent: refOf(agent),
  acting_for: actingFor.map(refOf),
});

const refOf = ({ id, name }: AgentRef) => ({ id, name });
