import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Admission } from './admission.js';
import { routeOf } from './handles.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';

/** Lets nobody to a controller's method whom its row in the route table does not let in. */
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
