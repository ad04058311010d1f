import { type Caller, operatorRoles, type Route, routeList, serviceScopes } from '@agentlattice/contracts';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { Browser } from './kit/browser.js';
import { mailAddress } from './kit/people.js';

/** The kinds of a caller in the route table; a key may be of several kinds. */
interface Kind {
  readonly name: string;
  readonly is: readonly Caller[];
  key: string | null;
}

const roleAndBelow = (role: (typeof operatorRoles)[number]): Caller[] =>
  operatorRoles.slice(0, operatorRoles.indexOf(role) + 1).map((lower) => `operator:${lower}` as const);

const kinds: Kind[] = [
  { name: 'nobody', is: [], key: null },
  { name: 'agent', is: ['agent'], key: null },
  ...serviceScopes.map((scope): Kind => ({
    name: `service ${scope}`,
    is: ['service', `service:${scope}`],
    key: null,
  })),
  ...operatorRoles.map((role): Kind => ({ name: role, is: roleAndBelow(role), key: null })),
];

describe('every route for every kind of caller', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  let stranger: Api;
  let strangersAgent: Api;
  const own: Record<string, string> = {};

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    for (const kind of kinds) kind.key = await keyOf(kind.name);
    const workspace = await admin.as(stack.instanceAdmin.api_key).post('/api/v1/workspaces', {
      name: 'elsewhere',
      admin: { email: mailAddress('stranger'), name: 'Stranger', password: 'a long password' },
    });
    stranger = admin.as((workspace.body['admin'] as { api_key: string }).api_key);
    const registered = await admin.as(String(workspace.body['service_key'])).post('/api/agents/register', {
      name: 'stranger',
    });
    strangersAgent = admin.as(String(registered.body['api_key']));
    const channel = await admin.post('/api/v1/channels', {
      type: 'email',
      name: 'ours',
      to: ['ours@example.com'],
      events: ['approval.requested'],
    });
    own['channel_id'] = String(channel.body['id']);
    const requested = await agent.submit('deploy.production');
    own['approval_id'] = String(requested.body['approval_id']);
    own['delivery_id'] = await eventually(async () => {
      const { body } = await admin.get('/api/v1/deliveries?status=kept');
      return (body['deliveries'] as { id: string }[])[0]?.id;
    });
    own['policy_id'] = await admin.policy({ name: 'ours', action_type: 'ours', effect: 'allow' });
    own['agent_id'] = stack.credentials.agent.id;
    own['member_id'] = String((await admin.get('/api/v1/whoami')).body['config_id']);
    const browser = await Browser.on(stack).signedIn(stack.credentials.admin);
    own['session_id'] = String((await browser.get('/api/v1/session')).body['id']);
    own['key_id'] = String(
      (await admin.post('/api/v1/keys', { name: 'x', kind: 'service', scopes: ['policies:read'] })).body[
        'id'
      ],
    );
  });
  afterAll(() => stack.leave());

  async function keyOf(name: string): Promise<string | null> {
    if (name === 'nobody') return null;
    if (name === 'agent') return stack.credentials.agent.api_key;
    const [kind, scope] = name.split(' ');
    if (kind === 'service')
      return String(
        (await admin.post('/api/v1/keys', { name, kind: 'service', scopes: [scope] })).body['key'],
      );
    const member = await admin.post('/api/v1/members', {
      email: mailAddress(name),
      name,
      role: name,
      password: 'a long password',
    });
    const key = await admin.post('/api/v1/keys', { name, kind: 'operator', member_id: member.body['id'] });
    return String(key.body['key']);
  }

  it.each(operatorRoles)(
    'a session of a %s may do what a key of this role may, and needs its token',
    async (role) => {
      const browser = await Browser.on(stack).signedIn({
        email: mailAddress(role),
        password: 'a long password',
      });
      const changing = routeList.filter(({ method, callers }) => method !== 'GET' && callers !== 'public');
      // Last, because it ends the session.
      const ordered = [...routeList].sort((a, b) => Number(a.id === 'signOut') - Number(b.id === 'signOut'));
      for (const route of changing) {
        const headers = { 'x-csrf-token': 'of another session' };
        const answer = await browser.call(route.method, pathOf(route, own), { headers, raw: '[]' });
        expect({ route: route.id, answer: answer.body['error'] }).toEqual({
          route: route.id,
          answer: 'CSRF',
        });
      }
      for (const route of ordered) {
        if (route.callers === 'public') continue;
        const may = route.callers.some((caller) => roleAndBelow(role).includes(caller));
        const path = pathOf(route, route.seenBy && own);
        const { status, body } = await browser.call(route.method, path, route.body && { raw: '[]' });
        const got = status === 401 || status === 403 ? String(body['error']) : 'open';
        expect({ route: route.id, got }).toEqual({
          route: route.id,
          got: may ? expect.stringMatching(/^(open|OWN_PASSWORD_NEEDED)$/) : 'FORBIDDEN',
        });
      }
    },
  );

  const pathOf = (route: Route, ids: Record<string, string> = {}) =>
    route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? 'nothing');

  it.each(routeList.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s',
    async (_name, route) => {
      for (const { name, is, key } of kinds) {
        // An action on something that the caller may only see is refused only when it exists.
        const { status } = await admin.call(route.method, pathOf(route, route.seenBy && own), {
          key,
          ...(route.body && { raw: '[]' }),
        });
        const wanted =
          route.callers === 'public'
            ? 'open'
            : key === null
              ? 401
              : route.callers.some((c) => is.includes(c))
                ? 'open'
                : 403;
        const got = status === 401 || status === 403 ? status : 'open';
        expect({ caller: name, got }).toEqual({ caller: name, got: wanted });
        expect(status).toBeLessThan(500);
      }
    },
  );

  it.each(
    routeList
      .filter(({ params }) => params !== undefined)
      .map((route) => [`${route.method} ${route.path}`, route] as const),
  )('%s of another workspace does not exist', async (_name, route) => {
    const bodies: Record<string, unknown> = {
      updatePolicy: { effect: 'deny' },
      updateMember: { name: 'theirs' },
      rotateKey: {},
      suspendAgent: {},
      resumeAgent: {},
      updateChannel: { name: 'theirs' },
      rotateChannelSecret: {},
      testChannel: {},
      redeliver: {},
    };
    const body = bodies[route.id];
    const caller =
      route.callers.includes('operator:viewer') || !route.callers.includes('agent')
        ? stranger
        : strangersAgent;
    const answer = await caller.call(route.method, pathOf(route, own), {
      ...(body === undefined ? {} : { body }),
    });
    expect(answer).toMatchObject({ status: 404, body: { error: 'NOT_FOUND' } });
    // And it was not changed: its own workspace still has it.
    if (route.method === 'GET') expect((await admin.get(pathOf(route, own))).status).toBe(200);
  });

  it.each(routeList.filter(({ seenBy }) => seenBy !== undefined).map((route) => [route.id, route] as const))(
    '%s of a request that is not there is 404 also for those who may not do it',
    async (_name, route) => {
      const unknown = { approval_id: 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3' };
      for (const name of ['agent', 'viewer']) {
        const key = kinds.find((kind) => kind.name === name)?.key ?? null;
        expect(await admin.call(route.method, pathOf(route, unknown), { key })).toMatchObject({
          status: 404,
          body: { error: 'NOT_FOUND' },
        });
      }
      expect(await strangersAgent.call(route.method, pathOf(route, own))).toMatchObject({ status: 404 });
      expect(await agent.call(route.method, pathOf(route, own))).toMatchObject({
        status: 403,
        body: { error: 'SELF_APPROVAL' },
      });
    },
  );

  it('lists contain nothing of another workspace', async () => {
    for (const path of [
      'agents',
      'keys',
      'members',
      'policies',
      'approvals',
      'audit',
      'channels',
      'deliveries',
    ]) {
      const { text } = await stranger.get(`/api/v1/${path}`);
      expect(text).not.toContain(stack.credentials.org_id);
      expect(text).not.toContain(stack.credentials.agent.id);
    }
  });

  it('an agent does not see another agent’s requests', async () => {
    const { body } = await admin.post('/api/agents/register', { name: 'neighbour' });
    const neighbour = admin.as(String(body['api_key']));
    expect((await neighbour.get(`/api/approvals/${own['approval_id'] ?? ''}/status`)).status).toBe(404);
    expect((await neighbour.get(`/api/v1/approvals/${own['approval_id'] ?? ''}`)).status).toBe(404);
    expect((await neighbour.get('/api/v1/approvals')).body['approvals']).toEqual([]);
    const asked = await neighbour.get(`/api/v1/approvals?agent_id=${stack.credentials.agent.id}`);
    expect(asked.body['approvals']).toEqual([]);
  });

  it('only an instance administrator makes workspaces', async () => {
    const body = { name: 'w', admin: { email: mailAddress('a'), name: 'A', password: 'a long password' } };
    expect((await stranger.post('/api/v1/workspaces', body)).status).toBe(403);
  });
});
