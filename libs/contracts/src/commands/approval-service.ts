import { z } from 'zod';
import { approvalFilter, approvalStatus, approvalView } from '../approval/approval.js';
import { typeId } from '../primitives.js';
import { command } from './command.js';
import { ping, replay } from './every-service.js';

/** `agent_id`: when an agent asks, only its own requests exist for it (decisions §3.5); null for operators. */
const one = { org_id: typeId('org'), approval_id: typeId('apr'), agent_id: typeId('agt').nullable() };

export const approvalServiceCommands = {
  get_approval: command('approval-service', 'get_approval', z.object(one), approvalView),
  approval_status: command('approval-service', 'approval_status', z.object(one), approvalStatus),
  list_approvals: command(
    'approval-service',
    'list_approvals',
    approvalFilter.extend({
      org_id: typeId('org'),
      cursor: z.string().nullable(),
      limit: z.number().int().min(1).max(200),
    }),
    z.object({ approvals: z.array(approvalView), next_cursor: z.string().nullable() }),
  ),
  replay: replay('approval-service'),
  ping: ping('approval-service'),
};
