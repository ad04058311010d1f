import { getApproval, listPendingApprovals } from './approvals.js';
import { queryAudit, verifyAudit } from './audit.js';
import { approveAction, denyAction } from './decisions.js';
import { checkPolicy, listPolicies } from './policies.js';
import { approvalStatus, requestAction } from './requests.js';
import type { Tool } from './tool.js';

/** All tools, in the order in which they are listed. */
export const tools: readonly Tool[] = [
  requestAction,
  approvalStatus,
  listPendingApprovals,
  getApproval,
  approveAction,
  denyAction,
  checkPolicy,
  listPolicies,
  queryAudit,
  verifyAudit,
];
