import type { AgentView } from '@agentlattice/contracts';
import { call, pathSegment } from './client.js';
import { loadAll } from './paged.js';

export type Agent = AgentView;
export interface RegisteredAgent {
  readonly id: string;
  readonly name: string;
  readonly api_key: string;
}

const path = '/api/v1/agents';
export const agentsKey = ['agents'] as const;

export const listAgents = (cursor?: string, signal?: AbortSignal) =>
  call<{ agents: readonly Agent[]; next_cursor: string | null }>('GET', path, {
    query: { cursor, limit: 100 },
    ...(signal === undefined ? {} : { signal }),
  });
export const allAgents = () => loadAll(listAgents, ({ agents }) => agents);
export const registerAgent = (body: { readonly name: string; readonly description?: string }) =>
  call<RegisteredAgent>('POST', '/api/agents/register', { body });
export const suspendAgent = (
  id: string,
  body: { readonly reason?: string; readonly pending: 'cancel' | 'keep' },
) => call<Agent>('POST', `${path}/${pathSegment(id)}/suspend`, { body });
export const resumeAgent = (id: string) =>
  call<Agent>('POST', `${path}/${pathSegment(id)}/resume`, { body: {} });
