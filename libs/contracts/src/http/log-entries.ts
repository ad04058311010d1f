import type { EventType } from '../events/registry.js';
import type { routes, RouteId } from './routes.js';

/** Routes by which something may change. */
export type ChangingRouteId = {
  [Id in RouteId]: (typeof routes)[Id]['method'] extends 'GET' ? never : Id;
}[RouteId];

/** The types of which a call leaves at least one in the log of its workspace, or why it leaves none. */
export type LoggedAs = readonly [EventType, ...EventType[]] | { readonly notLogged: string };

/** What each changing route leaves in the log when it is answered 2xx. A new one does not compile until it stands here. */
export const logEntriesOfRoutes = {
  submitAction: ['action.executed', 'action.denied', 'action.requested'],
  checkPolicyWithMetadata: {
    notLogged: 'a dry run: it changes nothing, and is a POST for the sake of its body',
  },
  issueGrant: {
    notLogged: 'it signs again what the entry of the action says already; nothing is cleared by it',
  },
  consumeGrant: ['approval.grant_consumed'],
  approveRequest: ['approval.approved', 'approval.vote_cast'],
  denyRequest: ['approval.denied', 'approval.vote_cast'],
  withdrawVote: ['approval.vote_withdrawn'],
  cancelRequest: ['approval.cancelled'],
  createPolicy: ['policy.created'],
  updatePolicy: ['policy.updated', 'policy.activated', 'policy.deactivated'],
  deletePolicy: ['policy.deleted'],
  createChannel: ['channel.created'],
  updateChannel: ['channel.updated'],
  deleteChannel: ['channel.deleted'],
  rotateChannelSecret: ['channel.secret_rotated'],
  testChannel: ['channel.tested'],
  redeliver: ['delivery.redelivered'],
  registerAgent: ['agent.registered'],
  suspendAgent: ['agent.suspended'],
  resumeAgent: ['agent.resumed'],
  createMember: ['member.created', 'member.invited'],
  acceptInvitation: ['member.accepted'],
  declineInvitation: ['member.declined'],
  createKey: ['key.created'],
  rotateKey: ['key.rotated'],
  revokeKey: ['key.revoked'],
  createWorkspace: ['access.workspace_created'],
  reportOutcome: ['action.reported'],
} as const satisfies Record<ChangingRouteId, LoggedAs>;
