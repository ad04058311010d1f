import { type AgentRef, type CommandRequest, policyEngineCommands, Refused } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import { typeid } from 'typeid-js';
import type { Principal } from '../domain/principal.js';
import { addAgent } from './register-agent.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

type AgentPrincipal = Extract<Principal, { kind: 'agent' }>;

export interface DelegatePorts extends PrincipalPorts {
  readonly commands: Pick<CommandClient, 'request'>;
}

export interface NewDelegation {
  readonly delegation_id: string;
  readonly child_api_key: string;
  readonly child_agent_id: string;
  readonly child_name: string;
  readonly expires_at: string;
}

/** The key outlives its delegation for a while, so that a late agent is told DELEGATION_SCOPE. */
const keyOutlivesMs = 86_400_000;

/**
 * Makes a child agent that acts for the calling one. The delegation is written first, then the agent and its key: after a
 * crash between them a delegation is left that nobody can use, and it expires.
 * @throws Refused AGENT_SUSPENDED, DELEGATION_SCOPE or DELEGATION_LIMIT
 */
export const makeDelegate =
  ({ commands, ...principals }: DelegatePorts) =>
  async (
    { agent }: AgentPrincipal,
    context: RequestContext,
    wanted: { readonly name: string; readonly capabilities: string[]; readonly ttl_seconds: number },
  ): Promise<NewDelegation> => {
    if (agent.suspended)
      throw new Refused('AGENT_SUSPENDED', 'the agent is suspended, or one that it acts for');
    const { orgId: org_id, meta } = context;
    const delegation_id = typeid('del').toString();
    const child = { id: typeid('agt').toString(), name: childName(wanted.name, delegation_id) };
    const caller = { org_id, actor: meta.actor, correlation_id: meta.correlation_id };
    const { expires_at } = await commands.request(
      policyEngineCommands.create_delegation,
      {
        ...caller,
        delegation_id,
        parent: refOf(agent),
        parent_delegation_id: agent.delegation?.id ?? null,
        child,
        capabilities: wanted.capabilities,
        ttl_seconds: wanted.ttl_seconds,
      } satisfies CommandRequest<typeof policyEngineCommands.create_delegation>,
      { traceparent: meta.traceparent ?? null },
    );
    const { key } = await addAgent(principals, context, {
      ...child,
      description: null,
      ownerMemberId: agent.owner_member_id,
      delegation: {
        id: delegation_id,
        actingFor: [...(agent.delegation?.ancestors ?? []), agent].map(refOf),
      },
      keyExpiresAt: new Date(Date.parse(expires_at) + keyOutlivesMs).toISOString(),
    }).catch(async (error: unknown) => {
      // Nobody has a key for it; without this it would count until it expires.
      await commands
        .request(policyEngineCommands.revoke_delegation, { ...caller, delegation_id, agent_id: null })
        .catch(() => {});
      throw error;
    });
    return {
      delegation_id,
      child_api_key: key,
      child_agent_id: child.id,
      child_name: child.name,
      expires_at,
    };
  };
export type Delegate = ReturnType<typeof makeDelegate>;

const refOf = ({ id, name }: AgentRef) => ({ id, name });

/**
 * The name of a child: a program makes children with the same name again and again, and names are unique. No child takes a
 * name that people could register.
 */
const childName = (name: string, delegationId: string) => `${name} (${delegationId.slice(-10)})`;
