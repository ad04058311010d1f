import { type RouteInput, type RouteOutput, routes } from '@agentlattice/contracts';
import { Controller, Inject, Req } from '@nestjs/common';
import type { AcceptInvitation } from '../../application/accept-invitation.js';
import type { CreateWorkspace } from '../../application/create-workspace.js';
import type { DeclineInvitation } from '../../application/decline-invitation.js';
import type { Invitee } from '../../application/invitation-ports.js';
import type { ListInvitations } from '../../application/list-invitations.js';
import type { Operator } from '../../domain/principal.js';
import { ACCEPT_INVITATION, CREATE_WORKSPACE, DECLINE_INVITATION, LIST_INVITATIONS } from '../../tokens.js';
import { pageOf } from './page-of.js';
import { requestContextOf } from './request-context.js';
import { Caller, Handles, RequestInput } from './route-decorators.js';
import type { GatewayRequest } from './http-request.js';

/** The routes beyond the workspace of the key: new workspaces, and invitations to other workspaces. */
@Controller()
export class WorkspacesController {
  constructor(
    @Inject(CREATE_WORKSPACE) private readonly createWorkspace: CreateWorkspace,
    @Inject(LIST_INVITATIONS) private readonly listInvitations: ListInvitations,
    @Inject(ACCEPT_INVITATION) private readonly acceptInvitation: AcceptInvitation,
    @Inject(DECLINE_INVITATION) private readonly declineInvitation: DeclineInvitation,
  ) {}

  @Handles(routes.createWorkspace)
  async create(
    @Caller() principal: Operator,
    @RequestInput() { body }: RouteInput<typeof routes.createWorkspace>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.createWorkspace>> {
    const { orgId, personId } = principal;
    const { meta } = requestContextOf(principal, request);
    const made = await this.createWorkspace({ orgId, personId, meta }, body.name, body.admin);
    return {
      org_id: made.orgId,
      admin: { email: body.admin.email, api_key: made.adminKey, password_set: made.passwordSet },
      service_key: made.serviceKey,
    };
  }

  @Handles(routes.listInvitations)
  async list(
    @Caller() principal: Operator,
    @RequestInput() { query }: RouteInput<typeof routes.listInvitations>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.listInvitations>> {
    const invitee = inviteeOf(principal, request);
    const { items, next_cursor } = await pageOf('mbr', query, (page) => this.listInvitations(invitee, page));
    return { invitations: items, next_cursor };
  }

  @Handles(routes.acceptInvitation)
  async accept(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.acceptInvitation>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.acceptInvitation>> {
    const { orgId, member, key } = await this.acceptInvitation(
      inviteeOf(principal, request),
      params.invitation_id,
    );
    return { org_id: orgId, member, api_key: key };
  }

  @Handles(routes.declineInvitation)
  decline(
    @Caller() principal: Operator,
    @RequestInput() { params }: RouteInput<typeof routes.declineInvitation>,
    @Req() request: GatewayRequest,
  ): Promise<RouteOutput<typeof routes.declineInvitation>> {
    return this.declineInvitation(inviteeOf(principal, request), params.invitation_id);
  }
}

function inviteeOf(principal: Operator, request: GatewayRequest): Invitee {
  const { actor, traceparent } = requestContextOf(principal, request).meta;
  const { personId, own } = principal;
  return { personId, own, via: actor.via, correlationId: request.id, traceparent };
}
