import {
  approvalServiceCommands,
  type ApprovalStatus,
  Refused,
  type RouteInput,
  routes,
} from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { ApproveRequest } from '../../application/approve-request.js';
import type { AwaitDecision } from '../../application/await-decision.js';
import type { NameMembers } from '../../application/name-members.js';
import { readPrefer } from '../../domain/prefer.js';
import { decidingOperatorOf, type Operator, type Principal } from '../../domain/principal.js';
import { membersOfDecision, membersOfPendingVote, membersOfStatus } from '../../domain/shown-members.js';
import { approvalReferenceOf } from './approval-reference.js';
import { viaOf } from './request-context.js';
import { setPreferenceApplied, clientGoneSignal } from './long-poll.js';
import type { GatewayReply, GatewayRequest } from './http-request.js';
import { type PlainRoute, plainRoute } from './plain-routes.js';

/** The status of a request, and the routes that end it. For an agent only its own requests exist (decisions §3.5). */
export function decisionRoutes(
  awaitDecision: AwaitDecision,
  approveRequest: ApproveRequest,
  commands: Pick<CommandClient, 'request'>,
  nameMembers: NameMembers,
): readonly PlainRoute[] {
  const statusOf = (
    principal: Principal,
    { params, headers }: Pick<RouteInput<typeof routes.approvalStatus>, 'params' | 'headers'>,
    reply: GatewayReply,
  ): Promise<ApprovalStatus> => {
    const prefer = { ...readPrefer(headers.prefer), grant: false };
    setPreferenceApplied(reply, prefer);
    const status = awaitDecision(
      approvalReferenceOf(principal, params),
      prefer.waitSeconds * 1_000,
      clientGoneSignal(reply, prefer),
    );
    return nameMembers(principal.orgId, status, membersOfStatus);
  };
  return [
    plainRoute(routes.approvalStatus, ({ principal, input, reply }) => statusOf(principal, input, reply)),
    plainRoute(routes.approvalStatusUnversioned, ({ principal, input, reply }) =>
      statusOf(principal, input, reply),
    ),
    plainRoute(routes.approveRequest, ({ principal, input: { params, body }, request }) =>
      nameMembers(
        principal.orgId,
        approveRequest(withSeen(decisionOf(principal, params, body.reason, request), body.seen_ms), {
          foreverFor: body.scope === 'forever' ? (body.forever_for ?? 'policy') : null,
          policyVersion: body.policy_version ?? null,
        }),
        membersOfDecision,
      ),
    ),
    plainRoute(routes.denyRequest, ({ principal, input: { params, body }, request }) =>
      nameMembers(
        principal.orgId,
        commands.request(
          approvalServiceCommands.deny,
          withSeen(decisionOf(principal, params, body.reason, request), body.seen_ms),
        ),
        membersOfDecision,
      ),
    ),
    plainRoute(routes.withdrawVote, ({ principal, input: { params }, request }) => {
      const { reason: _, ...withdrawal } = decisionOf(principal, params, null, request);
      return nameMembers(
        principal.orgId,
        commands.request(approvalServiceCommands.withdraw_vote, withdrawal),
        membersOfPendingVote,
      );
    }),
    plainRoute(routes.cancelRequest, ({ principal, input: { params, body }, request }) => {
      const { org_id, approval_id } = approvalReferenceOf(principal, params);
      const cancelled = commands.request(approvalServiceCommands.cancel, {
        org_id,
        approval_id,
        agent_id: principal.agent.id,
        key_id: principal.keyId,
        reason: body.reason ?? null,
        correlation_id: request.id,
      });
      return nameMembers(org_id, cancelled, membersOfStatus);
    }),
  ];
}

const decisionOf = (
  principal: Operator,
  params: { approval_id: string },
  reason: string | null | undefined,
  request: GatewayRequest,
) => {
  const { org_id, approval_id } = approvalReferenceOf(principal, params);
  // Otherwise an administrator who made the account could cast its vote in addition to the own one.
  if (principal.session?.passwordChangeNeeded === true)
    throw new Refused(
      'OWN_PASSWORD_NEEDED',
      'another person set your password; change it before you decide requests',
    );
  return {
    org_id,
    approval_id,
    operator: decidingOperatorOf(principal, viaOf(principal, request)),
    reason: reason ?? null,
    correlation_id: request.id,
  };
};

const withSeen = <T extends object>(decision: T, seen_ms: number | undefined) => ({
  ...decision,
  ...(seen_ms === undefined ? {} : { seen_ms }),
});
