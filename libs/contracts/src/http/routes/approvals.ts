import { z } from 'zod';
import {
  approvalPage,
  approvalQuery,
  approvalStatus,
  approvalView,
  approveInput,
  cancelInput,
  denyInput,
  votePending,
} from '../../approval/approval.js';
import { givenDenialReasons } from '../../approval/for-operators.js';
import { foreverPreview } from '../../approval/forever-preview.js';
import { overview, overviewRanges, timeZone } from '../../approval/overview.js';
import { policyChangeResult } from '../../commands/policy-engine.js';
import { foreverFor } from '../../events/approval.js';
import { ok, route } from '../route.js';

/** Not checked for form: an id that is no approval of this workspace is 404. */
const params = z.object({ approval_id: z.string().min(1).max(255) });
const status = {
  method: 'GET',
  tag: 'Agent',
  summary: 'The state of a request, as the waiting agent reads it',
  description:
    'With `Prefer: wait=N` (N ≤ 60 s) the answer is held until the request is decided or N passes. To a suspended agent an approved request is `denied` with AGENT_SUSPENDED and without grant; once it is resumed it is approved, within the lifetime of the grant.',
  callers: ['agent', 'operator:viewer'],
  params,
  headers: z.object({
    prefer: z.string().max(255).optional().meta({ description: 'RFC 7240: `wait=N`, in seconds' }),
  }),
  responses: { 200: ok(approvalStatus) },
  errors: ['NOT_FOUND'],
} as const;

/** A caller that may see a request but not decide it gets 403 only when the request exists (decisions §5). */
const deciding = {
  tag: 'Approvals',
  callers: ['operator:member'],
  seenBy: ['agent', 'operator:viewer'],
  params,
} as const;
const decisionErrors = [
  'NOT_FOUND',
  'SELF_APPROVAL',
  'ALREADY_VOTED',
  'APPROVAL_ALREADY_DECIDED',
  'APPROVAL_TIMED_OUT',
] as const;
const approved = approvalView
  .extend({
    policy_change: policyChangeResult
      .optional()
      .meta({ description: 'With scope forever: what happened to the policy' }),
  })
  .meta({ id: 'DecidedApproval' });

export const approvalRoutes = {
  approvalStatus: route({ ...status, id: 'approvalStatus', path: '/api/v1/approvals/{approval_id}/status' }),
  approvalStatusUnversioned: route({
    ...status,
    id: 'approvalStatusUnversioned',
    path: '/api/approvals/{approval_id}/status',
  }),
  listApprovals: route({
    id: 'listApprovals',
    method: 'GET',
    path: '/api/v1/approvals',
    tag: 'Approvals',
    summary: 'The queue; an agent sees its own requests',
    callers: ['agent', 'operator:viewer'],
    query: approvalQuery,
    responses: {
      200: ok(
        approvalPage,
        '`pending` and `escalated`: oldest deadline first; otherwise newest first. Items have no history and no reasons of votes: those are in the single view.',
      ),
    },
  }),
  getApproval: route({
    id: 'getApproval',
    method: 'GET',
    path: '/api/v1/approvals/{approval_id}',
    tag: 'Approvals',
    summary: 'One request with everything an operator needs to decide',
    callers: ['agent', 'operator:viewer'],
    params,
    responses: { 200: ok(approvalView) },
    errors: ['NOT_FOUND'],
  }),
  previewForever: route({
    id: 'previewForever',
    method: 'GET',
    path: '/api/v1/approvals/{approval_id}/forever',
    tag: 'Approvals',
    summary: 'What an approval with scope forever would do now',
    description:
      'The change of the policies, and what else it reaches. Approve with `policy_version` of `policy.version`: the call is refused when another version governs by then.',
    callers: ['operator:admin'],
    seenBy: ['agent', 'operator:viewer'],
    params,
    query: z.object({
      forever_for: z.enum(foreverFor).default('policy').meta({ description: 'As in the approval' }),
    }),
    responses: { 200: ok(foreverPreview) },
    errors: ['NOT_FOUND'],
  }),
  denialReasons: route({
    id: 'denialReasons',
    method: 'GET',
    path: '/api/v1/denial-reasons',
    tag: 'Approvals',
    summary: 'Reasons that people of the workspace give again and again when they deny',
    description: 'Of the newest 500 denials; those that were given at least twice, of at most 80 characters.',
    callers: ['operator:member'],
    responses: { 200: ok(givenDenialReasons) },
  }),
  overview: route({
    id: 'overview',
    method: 'GET',
    path: '/api/v1/overview',
    tag: 'Approvals',
    summary: 'How requests are decided: times, endings, policies, hours of the week',
    callers: ['operator:viewer'],
    query: z.object({
      range: z.enum(overviewRanges).default('14d'),
      tz: timeZone().default('UTC'),
    }),
    responses: { 200: ok(overview) },
  }),
  approveRequest: route({
    ...deciding,
    id: 'approveRequest',
    method: 'POST',
    path: '/api/v1/approvals/{approval_id}/approve',
    summary: 'Approve a request',
    description:
      'The waiting agent is answered at once. `scope: forever` needs an administrator and changes the policy to allow. Below the quorum the vote is stored and the answer says what is missing.',
    body: approveInput,
    responses: { 200: ok(z.union([approved, votePending]), 'Decided, or the state of the votes') },
    errors: [...decisionErrors, 'POLICY_CHANGED'],
  }),
  denyRequest: route({
    ...deciding,
    id: 'denyRequest',
    method: 'POST',
    path: '/api/v1/approvals/{approval_id}/deny',
    summary: 'Deny a request',
    body: denyInput,
    responses: { 200: ok(z.union([approvalView, votePending]), 'Decided, or the state of the votes') },
    errors: decisionErrors,
  }),
  withdrawVote: route({
    ...deciding,
    id: 'withdrawVote',
    method: 'DELETE',
    path: '/api/v1/approvals/{approval_id}/vote',
    summary: 'Withdraw a vote while the request is open',
    description: 'At most 10 times on one request; the next vote is final.',
    responses: { 200: ok(votePending) },
    errors: [
      'NOT_FOUND',
      'NO_VOTE',
      'TOO_MANY_WITHDRAWALS',
      'APPROVAL_ALREADY_DECIDED',
      'APPROVAL_TIMED_OUT',
    ],
  }),
  cancelRequest: route({
    id: 'cancelRequest',
    method: 'POST',
    path: '/api/v1/approvals/{approval_id}/cancel',
    tag: 'Agent',
    summary: 'Withdraw a request; by the agent that made it',
    callers: ['agent'],
    params,
    body: cancelInput,
    responses: { 200: ok(approvalStatus) },
    errors: ['NOT_FOUND', 'APPROVAL_ALREADY_DECIDED', 'APPROVAL_TIMED_OUT'],
  }),
} as const;
