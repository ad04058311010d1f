import type { AgentView } from '@agentlattice/contracts';
import { agentDecider, type AgentCommand } from '../domain/agent.js';
import { existingAgent } from './existing-principals.js';
import type { PrincipalPorts, RequestContext } from './principal-ports.js';

/** Suspends or resumes an agent. @throws Refused NOT_FOUND, or what the decider refuses */
export const makeChangeAgent =
  ({ store, refresh }: PrincipalPorts) =>
  async (
    { orgId, meta }: RequestContext,
    agentId: string,
    command: Exclude<AgentCommand, { type: 'RegisterAgent' }>,
    reason: string | null = null,
  ): Promise<AgentView> => {
    await existingAgent(store, orgId, agentId);
    await store.events.update({
      decider: agentDecider,
      orgId,
      streamId: agentId,
      command,
      meta,
      project: (tx, events) => store.projectAgent(tx, events, reason),
    });
    await refresh();
    return existingAgent(store, orgId, agentId);
  };
export type ChangeAgent = ReturnType<typeof makeChangeAgent>;
