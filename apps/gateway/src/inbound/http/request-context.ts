import { currentTraceparent } from '@agentlattice/observability';
import type { RequestContext } from '../../application/principal-ports.js';
import { actorOf, type Via, originWith, type Principal, sessionOf } from '../../domain/principal.js';
import type { GatewayRequest } from './http-request.js';

const clients = [
  ['agentlattice-cli/', 'cli'],
  ['agentlattice-mcp/', 'mcp'],
] as const;

/** The client that called: the dashboard in a session, otherwise by its own header; it is recorded and decides nothing. */
export const viaOf = (principal: Principal, { headers }: GatewayRequest): Via =>
  sessionOf(principal) !== undefined
    ? 'dashboard'
    : (clients.find(([name]) => headers['user-agent']?.startsWith(name) === true)?.[1] ?? 'api');

/** The caller and the request for use cases. The request's id is the correlation id of everything it causes. */
export function requestContextOf(principal: Principal, request: GatewayRequest): RequestContext {
  return {
    orgId: principal.orgId,
    meta: {
      actor: actorOf(principal, viaOf(principal, request)),
      correlation_id: request.id,
      traceparent: currentTraceparent(),
    },
    memberId:
      principal.kind === 'operator'
        ? principal.memberId
        : principal.kind === 'service'
          ? principal.madeBy
          : null,
    instanceAdmin: principal.kind === 'operator' && principal.instanceAdmin,
    originOf: (memberId) => originWith(principal, memberId),
  };
}
