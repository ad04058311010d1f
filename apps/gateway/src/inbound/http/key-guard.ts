import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Admission } from './admission.js';
import { routeOf } from './route-decorators.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** Admits only the callers that the row of a controller's method in the route table names. */
export class KeyGuard implements CanActivate {
  constructor(private readonly admission: Admission) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const route = routeOf(context.getHandler());
    if (route === undefined) throw new Error('a handler without a row in the route table');
    const http = context.switchToHttp();
    const request = http.getRequest<GatewayRequest>();
    const principal = await this.admission.admit(route, request, http.getResponse<GatewayReply>());
    if (principal !== undefined) request.principal = principal;
    return true;
  }
}
