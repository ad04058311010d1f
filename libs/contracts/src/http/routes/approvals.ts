import { z } from 'zod';
import { approvalQuery, approvalStatus, approvalView } from '../../approval/approval.js';
import { ok, route } from '../route.js';

/** Not checked for form: what is no approval of this workspace is 404, whatever it looks like. */
const params = z.object({ approval_id: z.string().min(1).max(255) });
const status = {
  method: 'GET',
  tag: 'Agent',
  summary: 'The state of a request, as the waiting agent reads it',
  callers: ['agent', 'operator:viewer'],
  params,
  responses: { 200: ok(approvalStatus) },
  errors: ['NOT_FOUND'],
} as const;

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
        z.object({ approvals: z.array(approvalView), next_cursor: z.string().nullable() }),
        'Oldest deadline first',
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
} as const;
