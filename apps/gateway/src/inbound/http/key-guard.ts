import { Refused, type Route } from '@agentlattice/contracts';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { mayCall, type Principal } from '../../domain/principal.js';
import type { PrincipalDirectory } from '../../outbound/principal-directory.js';
import { routeOf } from './handles.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import type { RateLimit } from './rate-limit.js';

/** The one guard: who is it, may they, and not too often. The contract's route table is the authorization table. */
export class KeyGuard implements CanActivate {
  constructor(
    private readonly directory: PrincipalDirectory,
    private readonly rateLimit: RateLimit,
    /** Rejects with NOT_FOUND unless what the parameters name exists for the principal. */
    private readonly find: (principal: Principal, params: unknown) => Promise<unknown>,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = routeOf(context.getHandler());
    if (route === undefined) throw new Error('a handler without a row in the route table');
    if (route.callers === 'public') return true;
    const http = context.switchToHttp();
    const request = http.getRequest<GatewayRequest>();
    const key = bearerOf(request.headers.authorization);
    const principal = key === undefined ? undefined : await this.directory.find(key);
    if (principal === undefined)
      throw new Refused(
        'UNAUTHENTICATED',
        key === undefined
          ? 'send a key as “Authorization: Bearer <key>”'
          : 'the key is unknown, expired or revoked',
      );
    if (!mayCall(principal, route.callers)) {
      if (route.seenBy !== undefined && mayCall(principal, route.seenBy))
        await this.find(principal, request.params);
      throw refusal(principal, route, route.callers);
    }
    // A waiting agent takes any 4xx for the end (decisions §6), so its status reads are not counted.
    if (!route.path.endsWith('/status'))
      await this.rateLimit.take(principal.keyId, http.getResponse<GatewayReply>());
    request.principal = principal;
    return true;
  }
}

function refusal(principal: Principal, route: Route, callers: readonly string[]): Refused {
  if (principal.kind === 'agent' && callers.every((caller) => caller.startsWith('operator:')) && route.seenBy)
    return new Refused(
      'SELF_APPROVAL',
      "an agent's key never decides, not even on another agent's request; use an operator's key (al_op_…) with the role member or admin",
    );
  return new Refused(
    'FORBIDDEN',
    `${route.id} is for ${callers.join(', ')}; this key is ${described(principal)}`,
  );
}

const bearerOf = (header: string | undefined) => /^Bearer ([A-Za-z0-9_-]{1,200})$/i.exec(header ?? '')?.[1];

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
