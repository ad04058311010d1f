import { type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import { Controller, Inject, Req } from '@nestjs/common';
import type { ChangeMember, RemoveMember } from '../../application/change-member.js';
import type { CreateMember } from '../../application/create-member.js';
import type { InviteMember } from '../../application/invite-member.js';
import type { GatewayConfig } from '../../config.js';
import type { Operator } from '../../domain/principal.js';
import { CHANGE_MEMBER, CREATE_MEMBER, INVITE_MEMBER, REMOVE_MEMBER, SESSION_CONFIG } from '../../tokens.js';
import type { GatewayRequest } from './http-request.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';

/** Adding, inviting, changing and removing members, by administrators. */
@Controller()
export class MembersController {
  constructor(
    @Inject(CREATE_MEMBER) private readonly addMember: CreateMember,
    @Inject(INVITE_MEMBER) private readonly inviting: InviteMember,
    @Inject(SESSION_CONFIG) private readonly config: Pick<GatewayConfig, 'publicUrl'>,
    @Inject(CHANGE_MEMBER) private readonly change: ChangeMember,
    @Inject(REMOVE_MEMBER) private readonly removeMember: RemoveMember,
  ) {}

  @Handles(routes.createMember)
  create(
    @Caller() principal: Operator,
    @RequestInput() { body: { password, ...draft } }: RouteInput<typeof routes.createMember>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.createMember>> {
    const context = requestContextOf(principal, request);
    return password === undefined
      ? this.inviting.invite(context, draft, this.baseUrl(request))
      : this.addMember(context, { ...draft, password });
  }

  @Handles(routes.renewInvitation)
  renew(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.renewInvitation>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.renewInvitation>> {
    return this.inviting.renew(requestContextOf(principal, request), params.member_id, this.baseUrl(request));
  }

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

  /** Where the pages are; the address of this request where no other is set. */
  private baseUrl({ protocol, host }: GatewayRequest): string {
    return this.config.publicUrl ?? `${protocol}://${host}`;
  }
}
