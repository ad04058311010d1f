import { eventually } from '@agentlattice/testkit';
import type { Api } from './api.js';

/** Short forms of the calls of agents and operators about requests. */
export function approvalsOf(admin: Api, agent: Api) {
  const decide =
    (how: 'approve' | 'deny') =>
    (id: string, body: object = {}, by: Api = admin) =>
      by.post(`/api/v1/approvals/${id}/${how}`, body);
  return {
    /** Makes a policy that requires approval, with its action type as the name. */
    asksFor: (actionType: string, more: Record<string, unknown> = {}) =>
      admin.policy({ name: actionType, action_type: actionType, effect: 'require_approval', ...more }),
    /** Submits an action that needs a person. */
    async requested(actionType: string, metadata: Record<string, unknown> = {}): Promise<string> {
      const { status, body, text } = await agent.submit(actionType, metadata);
      if (status !== 202) throw new Error(text);
      return String(body['approval_id']);
    },
    async queue() {
      const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
      return (body['approvals'] as { id: string }[]).map(({ id }) => id);
    },
    statusOf: (id: string) => agent.get(`/api/approvals/${id}/status`),
    show: async (id: string) => (await admin.get(`/api/v1/approvals/${id}`)).body,
    approve: decide('approve'),
    deny: decide('deny'),
    /** Waits for the decision, at most ten times as long as a change of policies may take. */
    waitFor: (id: string) =>
      agent.call('GET', `/api/v1/approvals/${id}/status`, { headers: { prefer: 'wait=20' } }),
    /** The audit events of a request as soon as one of this type is there, oldest first. */
    trail: (id: string, type: string) =>
      eventually(async () => {
        const { body } = await admin.get(`/api/v1/audit?approval_id=${id}&limit=200`);
        const events = (body['events'] as Record<string, unknown>[]).toReversed();
        return events.some((event) => event['type'] === type) ? events : undefined;
      }),
  };
}
