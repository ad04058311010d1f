import { type AgentView, routes } from '@agentlattice/contracts';
import type { Ports } from '../ports.js';
import { safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { clockText } from '../render/time-text.js';
import { findOne, firstOf, printDone, printList, printOne, printSecret } from './lists.js';

const read =
  ({ api }: Ports) =>
  async (query: { limit: number; cursor: string | undefined }) => {
    const { agents, next_cursor } = await api.call(routes.listAgents, { query });
    return { items: agents, next_cursor };
  };

/** By id or name. */
export const findAgent = (argument: string, ports: Ports): Promise<AgentView> =>
  /^agt_[0-9a-z]{26}$/.test(argument)
    ? ports.api.call(routes.getAgent, { params: { agent_id: argument } })
    : findOne({ what: 'agent', argument, read: read(ports), names: ({ name }) => [name] });

const stands = ({ suspended }: AgentView) => (suspended ? 'suspended' : 'active');

export async function listAgents(limit: number, ports: Ports): Promise<void> {
  printList(ports, await firstOf(limit, read(ports)), {
    name: 'agents',
    none: 'There is no agent yet. `al agents register NAME` makes one.',
    columns: [
      { head: 'ID' },
      { head: 'NAME', shrinksTo: 12 },
      { head: 'STATUS', paint: statusStyle(ports.style) },
      { head: 'OWNER', shrinksTo: 8 },
      { head: 'CREATED', optional: true },
    ],
    row: (agent) => [
      agent.id,
      shortText(agent.name, 80),
      stands(agent),
      shortText(agent.owner_name ?? '', 60),
      clockText(agent.created_at),
    ],
  });
}

export async function showAgent(argument: string, ports: Ports): Promise<void> {
  const agent = await findAgent(argument, ports);
  printOne(ports, agent, [
    ['Agent', agent.id],
    ['Name', safeText(agent.name)],
    ['About', safeText(agent.description ?? '')],
    ['Status', statusStyle(ports.style)(stands(agent))],
    ['Since', agent.suspended_at === null ? '' : clockText(agent.suspended_at)],
    ['Reason', safeText(agent.suspended_reason ?? '')],
    ['Owner', safeText(agent.owner_name ?? agent.owner_member_id ?? '')],
    ['Created', clockText(agent.created_at)],
  ]);
}

export async function registerAgent(
  { name, description }: { name: string; description: string | undefined },
  ports: Ports,
): Promise<void> {
  const agent = await ports.api.call(routes.registerAgent, {
    body: JSON.stringify({ name, description }),
    repeatable: false,
  });
  printSecret(
    ports,
    agent,
    `${agent.id}: ${safeText(agent.name)} is registered. Its key is shown this once:`,
    agent.api_key,
  );
}

export async function suspendAgent(
  { agent, reason, pending }: { agent: string; reason?: string; pending: 'keep' | 'cancel' },
  ports: Ports,
): Promise<void> {
  const { id } = await findAgent(agent, ports);
  const suspended = await ports.api.call(routes.suspendAgent, {
    params: { agent_id: id },
    body: JSON.stringify({ reason, pending }),
    repeatable: false,
  });
  const open = pending === 'cancel' ? 'its open requests are cancelled' : 'its open requests wait';
  printDone(ports, suspended, `${id}: ${safeText(suspended.name)} is suspended; ${open}`);
}

export async function resumeAgent(agent: string, ports: Ports): Promise<void> {
  const { id } = await findAgent(agent, ports);
  const resumed = await ports.api.call(routes.resumeAgent, {
    params: { agent_id: id },
    body: '{}',
    repeatable: false,
  });
  printDone(ports, resumed, `${id}: ${safeText(resumed.name)} is resumed; the policies apply again`);
}
