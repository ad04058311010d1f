import {
  type ChangingRouteId,
  type LoggedAs,
  logEntriesOfRoutes,
  routeList,
  routes,
} from '@agentlattice/contracts';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { Browser } from './kit/browser.js';
import { mailAddress } from './kit/people.js';

const password = 'a long password';
const table: Readonly<Record<ChangingRouteId, LoggedAs>> = logEntriesOfRoutes;
const changing = Object.keys(table) as ChangingRouteId[];
const typesOf = (id: ChangingRouteId): readonly string[] => {
  const logged = table[id];
  return 'notLogged' in logged ? [] : logged;
};

it('exactly the routes that may change something are in the table', () => {
  const ids = routeList.filter(({ method }) => method !== 'GET').map(({ id }) => id);
  expect([...changing].sort()).toEqual([...ids].sort());
});

describe('the changes of a route are in the log under the id of the request', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  /** The creation of a workspace is in the log of the workspace of who made it. */
  let instanceAdmin: Api;
  const called = new Map<ChangingRouteId, string>();

  /** Calls a route, which must succeed, and remembers the request's id: the correlation id of what it causes. */
  async function call(
    id: ChangingRouteId,
    {
      by = admin,
      params = {},
      body,
    }: { by?: Api | Browser; params?: Record<string, string>; body?: unknown } = {},
  ): Promise<Answer> {
    const { method, path } = routes[id];
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => params[name] ?? name);
    const answer = await by.call(method, filled, { body });
    if (answer.status >= 300) throw new Error(`${id}: ${answer.text}`);
    called.set(id, String(answer.headers.get('x-request-id')));
    return answer;
  }
  const idOf = ({ body }: Answer) => String(body['id']);

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    instanceAdmin = admin.as(stack.instanceAdmin.api_key);
    await useChannels();
    await useApprovals();
    await usePolicies();
    await usePeopleAndKeys();
    await useDelegations();
    await useAgents();
    await useSessions();
  }, 180_000);
  afterAll(() => stack.leave());

  async function useChannels() {
    const mail = {
      type: 'email',
      name: 'mail',
      to: ['somebody@example.com'],
      events: ['approval.requested'],
    };
    await call('createChannel', { body: mail });
    const hook = { type: 'webhook', name: 'hook', url: 'https://receiver.invalid/', events: [] };
    const params = { channel_id: idOf(await call('createChannel', { body: hook })) };
    await call('updateChannel', { params, body: { name: 'renamed' } });
    await call('rotateChannelSecret', { params, body: {} });
    await call('testChannel', { params, body: {} });
    await call('deleteChannel', { params });
  }

  async function useApprovals() {
    const { asksFor, requested, statusOf } = approvalsOf(admin, agent);
    await asksFor('ship', { approvals_required: 2 });
    await asksFor('send');
    const shipped = { approval_id: await requested('ship') };
    await call('approveRequest', { params: shipped, body: {} });
    await call('withdrawVote', { params: shipped });
    await call('denyRequest', { params: shipped, body: {} });
    await call('cancelRequest', { by: agent, params: { approval_id: await requested('send') }, body: {} });

    const sent = await call('submitAction', { by: agent, body: { action_type: 'send' } });
    const approval_id = String(sent.body['approval_id']);
    await call('approveRequest', { params: { approval_id }, body: {} });
    const grant = String((await statusOf(approval_id)).body['grant']);
    const claims = JSON.parse(Buffer.from(grant.split('.')[1] ?? '', 'base64url').toString()) as object;
    const action_digest = 'action_digest' in claims ? claims.action_digest : '';
    await call('consumeGrant', { by: agent, body: { grant, action_digest } });
    await call('reportOutcome', {
      by: agent,
      body: { audit_event_id: sent.body['audit_event_id'], outcome: { status: 'success' } },
    });
    // Of all entries this one alone carries the id of the request that it is about: the submission's.
    called.set('reportOutcome', String(sent.headers.get('x-request-id')));

    const kept = await eventually(async () => {
      const { body } = await admin.get('/api/v1/deliveries?status=kept');
      return (body['deliveries'] as { id: string }[])[0];
    });
    await call('redeliver', { params: { delivery_id: kept.id }, body: {} });
  }

  async function usePolicies() {
    const policy = { name: 'reads', action_type: 'read', effect: 'allow' };
    const params = { policy_id: idOf(await call('createPolicy', { body: policy })) };
    await call('updatePolicy', { params, body: { timeout: '1h' } });
    await call('checkPolicyWithMetadata', { body: { action_type: 'read' } });
    const allowed = await agent.submit('read');
    await call('issueGrant', { by: agent, body: { audit_event_id: allowed.body['audit_event_id'] } });
    await call('deletePolicy', { params });
  }

  async function usePeopleAndKeys() {
    for (const answer of ['acceptInvitation', 'declineInvitation'] as const) {
      const email = mailAddress(answer);
      const made = await call('createWorkspace', {
        by: instanceAdmin,
        body: { name: answer, admin: { email, name: 'Somebody', password } },
      });
      const person = admin.as((made.body['admin'] as { api_key: string }).api_key);
      const invited = await call('createMember', { body: { email, name: 'S', role: 'viewer', password } });
      await call(answer, { by: person, params: { invitation_id: idOf(invited) } });
    }
    const key = { name: 'k', kind: 'service', scopes: ['policies:read'] };
    const made = await call('createKey', { body: key });
    const rotated = await call('rotateKey', { params: { key_id: idOf(made) }, body: {} });
    await call('revokeKey', { params: { key_id: idOf(rotated) } });
  }

  async function useDelegations() {
    const body = { name: 'child', capabilities: ['read'], ttl_seconds: 60 };
    const first = (await call('delegate', { by: agent, body })).body['delegation_id'];
    await call('endDelegation', { by: agent, params: { delegation_id: String(first) } });
    const { body: second } = await agent.post('/api/v1/delegate', body);
    await call('revokeDelegation', { by: agent, body: { delegation_id: second['delegation_id'] } });
  }

  async function useAgents() {
    const params = { agent_id: idOf(await call('registerAgent', { body: { name: 'another' } })) };
    await call('suspendAgent', { params, body: {} });
    await call('resumeAgent', { params, body: {} });
  }

  async function useSessions() {
    const signIn = async (secret = password) => {
      const by = Browser.on(stack);
      await call('signIn', { by, body: { email: mailAddress('sessions'), password: secret } });
      return by;
    };
    const made = await call('createMember', {
      body: { email: mailAddress('sessions'), name: 'S', role: 'viewer', password },
    });
    const params = { member_id: idOf(made) };
    await call('updateMember', { params, body: { role: 'member' } });
    const first = await signIn();
    await call('extendSession', { by: first });
    const sessions = (await first.get('/api/v1/sessions')).body['sessions'] as { id: string }[];
    const second = await signIn();
    await call('revokeSession', { by: second, params: { session_id: String(sessions[0]?.id) } });
    const passwords = { current_password: password, new_password: 'another long password' };
    await call('changePassword', { by: second, body: passwords });
    await call('switchWorkspace', { by: second, body: { org_id: stack.credentials.org_id } });
    await call('signOut', { by: await signIn('another long password') });
    await call('removeMember', { params });
    const invited = await call('createMember', {
      body: { email: mailAddress('link'), name: 'L', role: 'viewer' },
    });
    const renewed = await call('renewInvitation', { params: { member_id: idOf(invited) } });
    const token = String(renewed.body['link']).split('#')[1];
    await call('acceptInvitationLink', { by: Browser.on(stack), body: { token, password } });
  }

  const entriesOf = async (id: ChangingRouteId, requestId: string): Promise<string[]> => {
    const { body } = await (id === 'createWorkspace' ? instanceAdmin : admin).get('/api/v1/audit?limit=200');
    const events = body['events'] as { type: string; correlation_id: string | null }[];
    return events.filter(({ correlation_id }) => correlation_id === requestId).map(({ type }) => type);
  };

  it.each(changing.filter((id) => typesOf(id).length > 0))('%s', async (id) => {
    const requestId = called.get(id) ?? 'this route was not called';
    const found = await eventually(async () => {
      const types = await entriesOf(id, requestId);
      return types.some((type) => typesOf(id).includes(type)) ? types : undefined;
    });
    expect(typesOf(id)).toEqual(expect.arrayContaining([found.find((type) => typesOf(id).includes(type))]));
  });

  it.each(changing.filter((id) => typesOf(id).length === 0))('%s leaves nothing', async (id) => {
    const requestId = called.get(id);
    expect(requestId).toBeDefined();
    expect(await entriesOf(id, String(requestId))).toEqual([]);
  });
});
