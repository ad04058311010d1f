import type { Actor, AgentRef, DomainEvent, EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

export type Agent =
  | { readonly status: 'none' }
  | {
      readonly status: 'active' | 'suspended';
      readonly id: string;
      readonly name: string;
      /** The agents that it acts for, the first one first. */
      readonly actingFor: readonly AgentRef[];
    };

/** The delegation that an agent lives by, and the agents that it acts for, the first one first. */
export interface DelegatedBy {
  readonly id: string;
  readonly actingFor: readonly AgentRef[];
}

export type AgentCommand =
  | {
      readonly type: 'RegisterAgent';
      readonly id: string;
      readonly name: string;
      readonly description: string | null;
      readonly ownerMemberId: string | null;
      readonly delegation: DelegatedBy | null;
    }
  | { readonly type: 'SuspendAgent'; readonly pending: EventData<'agent.suspended'>['pending'] }
  | { readonly type: 'ResumeAgent' };

export type AgentEvent = DomainEvent<'agent.registered' | 'agent.suspended' | 'agent.resumed'>;

function decide(command: AgentCommand, state: Agent): readonly AgentEvent[] {
  switch (command.type) {
    case 'RegisterAgent': {
      if (state.status !== 'none') return [];
      const { id, name, description, ownerMemberId, delegation } = command;
      return [
        {
          type: 'agent.registered',
          data: {
            agent: { id, name },
            ...actingFor(delegation?.actingFor ?? []),
            ...(delegation === null ? {} : { delegation_id: delegation.id }),
            description,
            owner_member_id: ownerMemberId,
          },
        },
      ];
    }
    case 'SuspendAgent': {
      const agent = known(state);
      if (agent.status === 'suspended')
        throw new Refused('ALREADY_SUSPENDED', 'the agent is suspended already');
      return [
        {
          type: 'agent.suspended',
          data: { agent: ref(agent), ...actingFor(agent.actingFor), pending: command.pending },
        },
      ];
    }
    case 'ResumeAgent': {
      const agent = known(state);
      if (agent.status === 'active') throw new Refused('NOT_SUSPENDED', 'the agent is not suspended');
      return [{ type: 'agent.resumed', data: { agent: ref(agent), ...actingFor(agent.actingFor) } }];
    }
    default:
      return assertNever(command);
  }
}

function evolve(_state: Agent, event: AgentEvent): Agent {
  switch (event.type) {
    case 'agent.registered':
    case 'agent.resumed':
      return { status: 'active', ...event.data.agent, actingFor: event.data.acting_for ?? [] };
    case 'agent.suspended':
      return { status: 'suspended', ...event.data.agent, actingFor: event.data.acting_for ?? [] };
    default:
      return assertNever(event);
  }
}

function known(state: Agent): Exclude<Agent, { status: 'none' }> {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such agent');
  return state;
}

const actingFor = (agents: readonly AgentRef[]) =>
  agents.length === 0 ? {} : { acting_for: agents.map(ref) };
const ref = ({ id, name }: { id: string; name: string }) => ({ id, name });

export const agentDecider: Decider<Agent, AgentCommand, AgentEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};

/** The owner of an agent: the person whose key registered it, or the maker of the service key that did (decisions §3.4). */
export const ownerOf = (actor: Actor, keyMadeBy: string | null): string | null =>
  actor.kind === 'operator' ? actor.id : keyMadeBy;
