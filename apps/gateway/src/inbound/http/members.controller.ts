import { type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import { Controller, Inject, Req } from '@nestjs/common';
import type { ChangeMember, RemoveMember } from '../../application/change-member.js';
import type { Operator } from '../../domain/principal.js';
import { CHANGE_MEMBER, REMOVE_MEMBER } from '../../tokens.js';
import type { GatewayRequest } from './http-request.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';

/** Changes of members by administrators. */
@Controller()
export class MembersController {
  constructor(
    @Inject(CHANGE_MEMBER) private readonly change: ChangeMember,
    @Inject(REMOVE_MEMBER) private readonly removeMember: RemoveMember,
  ) {}

  @Handles(routes.updateMember)
  update(
    @Caller() principal: Operator,
    @RequestInput() { params, body }: RouteInput<typeof routes.updateMember>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.updateMember>> {
    return this.change(requestContextOf(principal, request), params.member_id, body);
  }

  @Handles(routes.removeMember)
  remove(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.removeMember>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.removeMember>> {
    return this.removeMember(requestContextOf(principal, request), params.member_id);
  }
}
