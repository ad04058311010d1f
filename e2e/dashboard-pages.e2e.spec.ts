import { type WebhookReceiver, webhookReceiver } from '@agentlattice/testkit';
import type { Page } from 'playwright-core';
import { accountChecks } from './dashboard/pages/account.js';
import { agentChecks } from './dashboard/pages/agents.js';
import { auditChecks } from './dashboard/pages/audit.js';
import { dialogChecks } from './dashboard/pages/dialogs.js';
import { everyPageChecks } from './dashboard/pages/every-page.js';
import { keyChecks } from './dashboard/pages/keys.js';
import { memberChecks } from './dashboard/pages/members.js';
import { notificationChecks } from './dashboard/pages/notifications.js';
import { overviewChecks } from './dashboard/pages/overview.js';
import { policyChecks } from './dashboard/pages/policies.js';
import { Dashboard, startWithinMs } from './kit/dashboard.js';
import { OpenIdProvider } from './kit/openid-provider.js';

export interface Given {
  readonly dashboard: Dashboard;
  /** A page on which an administrator is signed in. */
  readonly admin: Page;
  readonly viewer: Page;
  readonly receiver: WebhookReceiver;
  /** Where people can sign in beside their passwords. */
  readonly provider: OpenIdProvider;
}

const client = { client_id: 'approvals', client_secret: 'a secret of the client of this test' };
const providerEnv = ({ issuer }: OpenIdProvider) => ({
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: client.client_id,
  OIDC_CLIENT_SECRET: client.client_secret,
  OIDC_NAME: 'Example login',
  OIDC_ROLE_MAPPING: JSON.stringify([{ group: 'deciders', role: 'member' }]),
  PASSWORD_SIGN_IN: 'true',
});

describe('the pages of the dashboard beside the queue', () => {
  let given: Given;

  beforeAll(async () => {
    const provider = await OpenIdProvider.listen();
    const [dashboard, receiver] = await Promise.all([
      Dashboard.start({ env: { EGRESS_ALLOW: '127.0.0.0/8', ...providerEnv(provider) } }),
      webhookReceiver(),
    ]);
    provider.serve({ ...client, redirect_uri: `${dashboard.stack.baseUrl}/auth/oidc/callback` });
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
    given = { dashboard, admin, viewer, receiver, provider };
  }, startWithinMs);
  afterAll(async () => {
    await given.receiver.stop();
    await given.provider.stop();
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
  accountChecks(() => given);
  dialogChecks(() => given);
  everyPageChecks(() => given);
});
