import { Refused, type Route } from '@agentlattice/contracts';
import type { RefusedAccess, RefusedCall } from '../../application/refused-access.js';
import { credentialOf, mayCall, type Principal, sessionOf } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { requestContextOf } from './request-context.js';
import { authenticate } from './authenticate.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import type { RateLimit } from './rate-limit.js';

/** Authentication, rate limit and authorization of a request. The contract's route table is the authorization table. */
export class Admission {
  constructor(
    private readonly directory: PrincipalDirectory,
    private readonly rateLimit: RateLimit,
    /** Rejects with NOT_FOUND unless the request that the parameters name exists for the principal. */
    private readonly find: (principal: Principal, params: unknown) => Promise<unknown>,
    private readonly refused: Pick<RefusedAccess, 'note'>,
  ) {}

  /**
   * The caller. Each request counts once for the rate limit, however often this is called, also when its body is refused first.
   * @throws Refused UNAUTHENTICATED or RATE_LIMITED
   */
  async identify(request: GatewayRequest, reply: GatewayReply): Promise<Principal> {
    const principal = await authenticate(this.directory, request);
    if (request.isCounted !== true) this.rateLimit.take(credentialOf(principal), reply);
    request.isCounted = true;
    this.directory.noteSessionUse(principal);
    return principal;
  }

  /**
   * @returns undefined on a route that needs no key
   * @throws Refused UNAUTHENTICATED, RATE_LIMITED, NOT_FOUND, SELF_APPROVAL or FORBIDDEN
   */
  async admit(route: Route, request: GatewayRequest, reply: GatewayReply): Promise<Principal | undefined> {
    if (route.callers === 'public') return undefined;
    // A waiting agent ends at any 4xx (decisions §6), so its reads of the status are not counted.
    const principal = route.path.endsWith('/status')
      ? await authenticate(this.directory, request)
      : await this.identify(request, reply);
    if (mayCall(principal, route.callers)) return principal;
    if (route.seenBy !== undefined && mayCall(principal, route.seenBy))
      await this.find(principal, request.params);
    // The attempt is in the log before it is answered, also when the gateway is killed right after.
    const { orgId, meta } = requestContextOf(principal, request);
    await this.refused.note({ orgId, meta, type: 'access.refused', facts: factsOf(principal, route) });
    throw refusal(principal, route, route.callers);
  }
}

const factsOf = (
  principal: Principal,
  route: Route,
): Extract<RefusedCall, { type: 'access.refused' }>['facts'] => ({
  key_id: principal.keyId,
  session_id: sessionOf(principal)?.id ?? null,
  kind: principal.kind,
  agent: principal.kind === 'agent' ? { id: principal.agent.id, name: principal.agent.name } : null,
  route: route.id,
});

function refusal(principal: Principal, route: Route, callers: readonly string[]): Refused {
  if (principal.kind === 'agent' && callers.every((caller) => caller.startsWith('operator:')) && route.seenBy)
    return new Refused(
      'SELF_APPROVAL',
      "an agent's key never decides, not even on another agent's request; use an operator's key (al_op_…) with the role member or admin",
    );
  return new Refused(
    'FORBIDDEN',
    `${route.id} is for ${callers.join(', ')}; this ${sessionOf(principal) === undefined ? 'key' : 'session'} is ${described(principal)}`,
  );
}

function described(principal: Principal): string {
  switch (principal.kind) {
    case 'agent':
      return 'agent';
    case 'service':
      return principal.scopes.map((scope) => `service:${scope}`).join(', ');
    case 'operator':
      return `operator:${principal.role}`;
  }
}
