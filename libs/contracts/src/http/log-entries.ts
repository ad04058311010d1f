import type { EventType } from '../events/registry.js';
import type { routes, RouteId } from './routes.js';

/** Routes by which something may change. */
export type ChangingRouteId = {
  [Id in RouteId]: (typeof routes)[Id]['method'] extends 'GET' ? never : Id;
}[RouteId];

/** The entry types of which a call makes at least one in the log of its workspace, or why it makes none. */
export type LoggedAs = readonly [EventType, ...EventType[]] | { readonly notLogged: string };

/** The log entry of each changing route when the answer is 2xx. A new route does not compile until it is listed here. */
export const logEntriesOfRoutes = {
  submitAction: ['action.executed', 'action.denied', 'action.requested'],
  checkPolicyWithMetadata: {
    notLogged: 'a dry run: it changes nothing, and is a POST because it has a body',
  },
  issueGrant: {
    notLogged: 'it signs again what the entry of the action already says; it clears no action',
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
  renewInvitation: ['member.invited'],
  acceptInvitationLink: ['member.accepted', 'session.signed_in'],
  updateMember: ['member.updated'],
  removeMember: ['member.removed'],
  acceptInvitation: ['member.accepted'],
  declineInvitation: ['member.declined'],
  signIn: ['session.signed_in'],
  signOut: ['session.signed_out'],
  extendSession: { notLogged: 'within the life that the session was given at sign-in' },
  switchWorkspace: ['session.signed_in', 'session.revoked'],
  changePassword: ['member.password_changed'],
  revokeSession: ['session.revoked'],
  createKey: ['key.created'],
  rotateKey: ['key.rotated'],
  revokeKey: ['key.revoked'],
  createWorkspace: ['access.workspace_created'],
  reportOutcome: ['action.reported'],
} as const satisfies Record<ChangingRouteId, LoggedAs>;
