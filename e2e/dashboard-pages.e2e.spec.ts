import { type WebhookReceiver, webhookReceiver } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import { agentChecks } from './dashboard/pages/agents.js';
import { auditChecks } from './dashboard/pages/audit.js';
import { everyPageChecks } from './dashboard/pages/every-page.js';
import { keyChecks } from './dashboard/pages/keys.js';
import { memberChecks } from './dashboard/pages/members.js';
import { notificationChecks } from './dashboard/pages/notifications.js';
import { overviewChecks } from './dashboard/pages/overview.js';
import { policyChecks } from './dashboard/pages/policies.js';
import { Dashboard, startWithinMs } from './kit/dashboard.js';

export interface Given {
  readonly dashboard: Dashboard;
  /** A page on which an administrator is signed in. */
  readonly admin: Page;
  readonly viewer: Page;
  readonly receiver: WebhookReceiver;
}

describe('the pages of the dashboard beside the queue', () => {
  let given: Given;

  beforeAll(async () => {
    const [dashboard, receiver] = await Promise.all([
      Dashboard.start({ env: { EGRESS_ALLOW: '127.0.0.0/8' } }),
      webhookReceiver(),
    ]);
    await dashboard.admin.policy({
      name: 'Deploys',
      action_type: 'deploy.*',
      effect: 'require_approval',
      timeout: '1h',
    });
    await dashboard.admin.policy({ name: 'Reading', action_type: 'read.*', effect: 'allow' });
    await dashboard.ask('deploy.web', { change: { count: 14 }, service: 'checkout' });
    const denied = await dashboard.ask('deploy.old', { note: 'a\u202eb' });
    await dashboard.admin.post(`/api/v1/approvals/${denied}/deny`, { reason: 'Outside the change window' });
    await dashboard.agent.submit('read.file', { path: '/etc/hosts' });
    const admin = await dashboard.signedIn(dashboard.administrator);
    const viewer = await dashboard.signedIn(await dashboard.person('Vera', 'viewer', ['Finance']));
    given = { dashboard, admin, viewer, receiver };
  }, startWithinMs);
  afterAll(async () => {
    await given.receiver.stop();
    await given.dashboard.stop();
  });
  afterEach(() => expect(given.dashboard.faults).toEqual([]));

  overviewChecks(() => given);
  auditChecks(() => given);
  policyChecks(() => given);
  agentChecks(() => given);
  keyChecks(() => given);
  memberChecks(() => given);
  notificationChecks(() => given);
  everyPageChecks(() => given);
});
