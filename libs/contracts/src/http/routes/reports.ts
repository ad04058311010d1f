import { posture } from '../../audit/posture.js';
import { reportInput, reportResult } from '../../audit/report.js';
import { ok, route } from '../route.js';

export const reportRoutes = {
  reportOutcome: route({
    id: 'reportOutcome',
    method: 'POST',
    path: '/api/v1/report',
    tag: 'Agent',
    summary: 'Report the outcome of an allowed or approved action',
    description:
      'Of the agent’s own actions; a suspended agent may report too. The last report counts, and each one is on disk in the audit log before the answer leaves.',
    callers: ['agent'],
    body: reportInput,
    responses: { 200: ok(reportResult) },
    errors: ['NOT_FOUND', 'NOT_REPORTABLE'],
  }),
  posture: route({
    id: 'posture',
    method: 'GET',
    path: '/api/v1/posture',
    tag: 'Agent',
    summary: 'How well the agent, or for an operator the workspace, is governed: 0 to 100',
    callers: ['agent', 'operator:viewer'],
    responses: { 200: ok(posture) },
  }),
} as const;
