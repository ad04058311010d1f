import { Refused } from '@agentlattice/contracts';
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
    if (!mayCall(principal, route.callers))
      throw new Refused(
        'FORBIDDEN',
        `${route.id} is for ${route.callers.join(', ')}; this key is ${described(principal)}`,
      );
    // A waiting agent takes any 4xx for the end (decisions §6), so its status reads are not counted.
    if (!route.path.endsWith('/status'))
      await this.rateLimit.take(principal.keyId, http.getResponse<GatewayReply>());
    request.principal = principal;
    return true;
  }
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
