import { routes } from '@agentlattice/contracts';
import type { Ports } from '../ports.js';
import { safeText } from '../render/safe-text.js';
import { printOne } from './lists.js';

const may = {
  agent: 'submit actions; decide nothing',
  viewer: 'read',
  member: 'read and decide',
  admin: 'read, decide, and change policies, people, agents, keys and channels',
} as const;

export async function whoami(ports: Ports): Promise<void> {
  const me = await ports.api.call(routes.whoami);
  const rights =
    me.kind === 'service' ? me.scopes.join(', ') : may[me.kind === 'agent' ? 'agent' : (me.role ?? 'viewer')];
  printOne(ports, me, [
    ['Name', safeText(me.name)],
    ['Kind', me.role === null ? me.kind : `${me.kind}, role ${me.role}`],
    ['May', rights],
    ['Instance', me.instance_admin ? 'may also create workspaces' : ''],
    ['Status', me.cb_state === 'open' ? ports.style.bad('suspended: every submission is denied') : ''],
    ['Id', safeText(me.config_id)],
    ['Workspace', me.org_id],
    ['System', ports.baseUrl],
    ...me.delegations.as_child.map(({ id }) => ['Acts under', id] as const),
  ]);
}
