import type { Actor, DomainEvent, EventData } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';

export type Agent =
  | { readonly status: 'none' }
  | { readonly status: 'active' | 'suspended'; readonly id: string; readonly name: string };

export type AgentCommand =
  | {
      readonly type: 'RegisterAgent';
      readonly id: string;
      readonly name: string;
      readonly description: string | null;
      readonly ownerMemberId: string | null;
    }
  | { readonly type: 'SuspendAgent'; readonly pending: EventData<'agent.suspended'>['pending'] }
  | { readonly type: 'ResumeAgent' };

export type AgentEvent = DomainEvent<'agent.registered' | 'agent.suspended' | 'agent.resumed'>;

function decide(command: AgentCommand, state: Agent): readonly AgentEvent[] {
  switch (command.type) {
    case 'RegisterAgent': {
      if (state.status !== 'none') return [];
      const { id, name, description, ownerMemberId } = command;
      return [
        {
          type: 'agent.registered',
          data: { agent: { id, name }, description, owner_member_id: ownerMemberId },
        },
      ];
    }
    case 'SuspendAgent': {
      const agent = known(state);
      if (agent.status === 'suspended')
        throw new Refused('ALREADY_SUSPENDED', 'the agent is suspended already');
      return [{ type: 'agent.suspended', data: { agent: ref(agent), pending: command.pending } }];
    }
    case 'ResumeAgent': {
      const agent = known(state);
      if (agent.status === 'active') throw new Refused('NOT_SUSPENDED', 'the agent is not suspended');
      return [{ type: 'agent.resumed', data: { agent: ref(agent) } }];
    }
    default:
      return assertNever(command);
  }
}

function evolve(_state: Agent, event: AgentEvent): Agent {
  switch (event.type) {
    case 'agent.registered':
    case 'agent.resumed':
      return { status: 'active', ...event.data.agent };
    case 'agent.suspended':
      return { status: 'suspended', ...event.data.agent };
    default:
      return assertNever(event);
  }
}

function known(state: Agent): Exclude<Agent, { status: 'none' }> {
  if (state.status === 'none') throw new Refused('NOT_FOUND', 'there is no such agent');
  return state;
}

const ref = ({ id, name }: { id: string; name: string }) => ({ id, name });

export const agentDecider: Decider<Agent, AgentCommand, AgentEvent> = {
  decide,
  evolve,
  initialState: () => ({ status: 'none' }),
};

/** The owner of an agent: the person whose key registered it, or the maker of the service key that did (decisions §3.4). */
export const ownerOf = (actor: Actor, keyMadeBy: string | null): string | null =>
  actor.kind === 'operator' ? actor.id : keyMadeBy;
