import { operatorRoles, type Caller, type OperatorRole, type Route, routes } from '@agentlattice/contracts';
import type { Api } from './api.js';

/** Who the key belongs to, as far as the tools depend on it. */
export interface Identity {
  readonly kind: 'agent' | 'operator' | 'service';
  /** Of operators. */
  readonly role: OperatorRole | null;
  /** Of service keys. */
  readonly scopes: readonly string[];
  /** Whether deciding needs a client that asks the person (decisions §3.8). */
  readonly elicitationRequired: boolean;
}

/** Whether a key may call a route by the route table. The API decides; this says which tools are offered. */
export function mayCall({ kind, role, scopes }: Identity, { callers }: Route): boolean {
  if (callers === 'public') return true;
  return callers.some((caller: Caller) => {
    if (kind === 'service')
      return caller === 'service' || scopes.some((scope) => caller === `service:${scope}`);
    if (kind === 'agent') return caller === 'agent';
    const wanted = operatorRoles.find((known) => caller === `operator:${known}`);
    return wanted !== undefined && role !== null && rankOf(role) >= rankOf(wanted);
  });
}

const rankOf = (role: OperatorRole) => operatorRoles.indexOf(role);

/** Who the key belongs to, by the API. */
export const identityBy = (api: Api) => async (): Promise<Identity> => {
  const { kind, role, scopes, mcp_elicitation } = await api.call(routes.whoami);
  return { kind, role, scopes, elicitationRequired: mcp_elicitation === 'required' };
};
