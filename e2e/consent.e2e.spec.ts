import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { addPerson, addPersonWithOwnKey, mailAddress } from './kit/people.js';

const password = 'a long password';

describe('people of several workspaces', () => {
  let stack: SharedStack;
  let root: Api;
  beforeAll(async () => {
    stack = await joinSharedStack();
    root = new Api(stack.baseUrl, stack.instanceAdmin.api_key);
  });
  afterAll(() => stack.leave());

  async function workspace(name: string) {
    const email = mailAddress(name);
    const { status, headers, body, text } = await root.post('/api/v1/workspaces', {
      name,
      admin: { email, name, password },
    });
    if (status !== 201) throw new Error(text);
    return {
      orgId: String(body['org_id']),
      admin: root.as((body['admin'] as { api_key: string }).api_key),
      service: root.as(String(body['service_key'])),
      email,
      requestId: headers.get('x-request-id'),
    };
  }
  const invite = (by: Api, email: string, role = 'member') =>
    by.post('/api/v1/members', { email, name: 'As they call them', role, password });
  const entries = async (by: Api, type: string) =>
    eventually(async () => {
      const { body } = await by.get(`/api/v1/audit?type=${type}&limit=200`);
      const found = body['events'] as Record<string, unknown>[];
      return found.length > 0 ? found : undefined;
    });

  it('an administrator of another workspace cannot get the rights of the instance administrator', async () => {
    const { admin } = await workspace('borrower');
    const invited = await invite(admin, stack.instanceAdmin.email, 'viewer');
    expect(invited).toMatchObject({ status: 201, body: { status: 'invited' } });
    expect(Object.keys(invited.body).sort()).toEqual(
      Object.keys((await invite(admin, mailAddress('new-there'))).body).sort(),
    );
    const key = { name: 'k', kind: 'operator', member_id: invited.body['id'] };
    expect(await admin.post('/api/v1/keys', key)).toMatchObject({
      status: 409,
      body: { error: 'MEMBERSHIP_NOT_ACCEPTED' },
    });
    const { text } = await admin.get('/api/v1/members');
    expect(text).not.toContain('instance_admin');
    expect(text).not.toContain(String((await root.get('/api/v1/whoami')).body['config_id']));
  });

  it('another administrator of the first workspace cannot get them either', async () => {
    const second = await addPerson(root, { name: 'second', role: 'admin' });
    const me = String((await root.get('/api/v1/whoami')).body['config_id']);
    const made = await second.api.post('/api/v1/keys', { name: 'k', kind: 'operator', member_id: me });
    expect(made.status).toBe(201);
    const borrowed = root.as(String(made.body['key']));
    expect((await borrowed.get('/api/v1/whoami')).body).toMatchObject({
      role: 'admin',
      instance_admin: false,
    });
    const body = { name: 'w', admin: { email: mailAddress('w'), name: 'W', password } };
    expect(await borrowed.post('/api/v1/workspaces', body)).toMatchObject({ status: 403 });
    expect((await root.get('/api/v1/whoami')).body).toMatchObject({ instance_admin: true });
  });

  it('an invited person has no vote before accepting, and has one on later requests', async () => {
    const host = await workspace('host');
    const guest = await workspace('guest');
    const registered = await host.service.post('/api/agents/register', { name: 'bot' });
    const { asksFor, requested } = approvalsOf(host.admin, host.admin.as(String(registered.body['api_key'])));
    await asksFor('invited.deploy');
    const before = await requested('invited.deploy');
    const { body: member } = await invite(host.admin, guest.email, 'member');

    const { body } = await guest.admin.get('/api/v1/invitations');
    expect(body['invitations']).toMatchObject([
      { id: member['id'], workspace_name: 'host', status: 'invited' },
    ]);
    const colleague = await addPerson(guest.admin, { name: 'guests-colleague', role: 'admin' });
    expect(await colleague.api.get('/api/v1/invitations')).toMatchObject({
      status: 409,
      body: { error: 'OWN_KEY_NEEDED' },
    });
    const accepted = await guest.admin.call('POST', `/api/v1/invitations/${String(member['id'])}/accept`);
    expect(accepted).toMatchObject({
      status: 200,
      body: { org_id: host.orgId, member: { status: 'active' } },
    });

    const there = root.as(String(accepted.body['api_key']));
    expect(await there.post(`/api/v1/approvals/${before}/approve`, {})).toMatchObject({
      status: 403,
      body: { error: 'FORBIDDEN' },
    });
    const after = await requested('invited.deploy');
    expect(await there.post(`/api/v1/approvals/${after}/approve`, {})).toMatchObject({
      status: 200,
      body: { status: 'approved', resolved_by: member['id'] },
    });
    await entries(host.admin, 'member.invited');
    const [entry] = await entries(host.admin, 'member.accepted');
    expect(entry?.['operator']).toMatchObject({ id: member['id'] });
    const { text } = await host.admin.get('/api/v1/audit?limit=200');
    expect(text).not.toContain(String((await guest.admin.get('/api/v1/whoami')).body['config_id']));
  });

  it('a new workspace is in its own log and in the log of its founder', async () => {
    const { admin, requestId } = await workspace('logged');
    const [own] = await entries(admin, 'access.workspace_created');
    expect(own?.['operator']).toBeNull();
    const me = String((await root.get('/api/v1/whoami')).body['config_id']);
    await eventually(async () =>
      (await entries(root, 'access.workspace_created')).some(
        ({ operator, correlation_id }) =>
          (operator as { id: string } | null)?.id === me && correlation_id === requestId,
      ),
    );
    expect(await admin.get('/api/v1/audit/verify')).toMatchObject({ body: { chain_valid: true } });
  });

  it('another person’s account is not made the administrator of a new workspace', async () => {
    const { email } = await workspace('somebody');
    const made = await root.post('/api/v1/workspaces', { name: 'x', admin: { email, name: 'x', password } });
    expect(made).toMatchObject({ status: 409, body: { error: 'EMAIL_TAKEN' } });
  });

  it('the maker of an agent’s key does not decide its requests when duties are separated', async () => {
    const { admin, service } = await workspace('separated');
    const lent = await addPerson(admin, { name: 'lent-to', role: 'member' });
    const other = await addPersonWithOwnKey(root, admin, { name: 'other', role: 'member' });
    const { id: agentId } = (await service.post('/api/agents/register', { name: 'bot' })).body;
    const made = await admin.post('/api/v1/keys', { name: 'k', kind: 'agent', agent_id: agentId });
    const { asksFor, requested } = approvalsOf(admin, admin.as(String(made.body['key'])));
    await asksFor('separated.deploy', { separation_of_duties: true });
    const id = await requested('separated.deploy');
    const approve = (by: Api) => by.post(`/api/v1/approvals/${id}/approve`, {});
    expect(await approve(admin)).toMatchObject({ status: 403, body: { error: 'SELF_APPROVAL' } });
    // Neither with the key of a colleague that the administrator made, and could have kept.
    expect(await approve(lent.api)).toMatchObject({ status: 403, body: { error: 'SELF_APPROVAL' } });
    expect(await approve(other.api)).toMatchObject({ status: 200, body: { status: 'approved' } });
    // A key that a third made does not hide who registered the agent with the key of a colleague.
    const lentAdmin = await addPerson(admin, { name: 'lent-to-admin', role: 'admin' });
    const maker = await addPersonWithOwnKey(root, admin, { name: 'key-maker', role: 'admin' });
    const hidden = (await lentAdmin.api.post('/api/agents/register', { name: 'hidden' })).body;
    const key = { name: 'k', kind: 'agent', agent_id: hidden['id'] };
    const theirs = root.as(String((await maker.api.post('/api/v1/keys', key)).body['key']));
    const asked = String((await theirs.submit('separated.deploy', {})).body['approval_id']);
    for (const by of [admin, lentAdmin.api, maker.api])
      expect(await by.post(`/api/v1/approvals/${asked}/approve`, {})).toMatchObject({
        status: 403,
        body: { error: 'SELF_APPROVAL' },
      });
    expect(await other.api.post(`/api/v1/approvals/${asked}/approve`, {})).toMatchObject({ status: 200 });
    const me = String((await admin.get('/api/v1/whoami')).body['config_id']);
    expect((await admin.get(`/api/v1/approvals/${id}`)).body).toMatchObject({
      asked_with_key: { id: made.body['id'], made_by: me },
      votes: [{ member_id: other.id, counts: true, key: { made_by: other.id, shown_to: [other.id] } }],
    });
  });

  it('an administrator who made the keys of colleagues is one person, however many of them vote', async () => {
    const { admin, service } = await workspace('quorum');
    const agent = await service.post('/api/agents/register', { name: 'bot' });
    const { asksFor, requested } = approvalsOf(admin, admin.as(String(agent.body['api_key'])));
    await asksFor('quorum.deploy', { approvals_required: 2 });
    const colleague = await addPerson(admin, { name: 'quorum-colleague', role: 'member' });
    const second = await addPerson(admin, { name: 'quorum-second', role: 'member' });
    const id = await requested('quorum.deploy');
    const approve = (by: Api) => by.post(`/api/v1/approvals/${id}/approve`, {});
    expect((await approve(colleague.api)).body).toMatchObject({ approvals: { have: 1, need: 2 } });
    expect((await approve(second.api)).body).toMatchObject({
      status: 'pending',
      approvals: { have: 1, need: 2 },
    });
    expect((await approve(admin)).body).toMatchObject({ status: 'pending', approvals: { have: 1, need: 2 } });
    const { body } = await admin.get(`/api/v1/approvals/${id}`);
    const me = String((await admin.get('/api/v1/whoami')).body['config_id']);
    expect(body).toMatchObject({
      votes: [
        { member_id: colleague.id, counts: false, key: { made_by: me } },
        { member_id: second.id, counts: false, key: { made_by: me } },
        { member_id: me, counts: true, key: { made_by: me } },
      ],
    });
    expect((body['history'] as { key: object | null }[]).map(({ key }) => key !== null)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    // Two people with keys that they made themselves are two.
    const third = await addPersonWithOwnKey(root, admin, { name: 'quorum-third', role: 'admin' });
    const again = await requested('quorum.deploy');
    const approveAgain = (by: Api) => by.post(`/api/v1/approvals/${again}/approve`, {});
    const key = { name: 'mine', kind: 'operator', member_id: third.id };
    const own = root.as(String((await third.api.post('/api/v1/keys', key)).body['key']));
    expect((await approveAgain(own)).body).toMatchObject({ approvals: { have: 1, need: 2 } });
    expect((await approveAgain(colleague.api)).body).toMatchObject({ status: 'approved' });
    expect((await admin.get(`/api/v1/approvals/${again}`)).body).toMatchObject({
      votes: [
        { member_id: third.id, counts: true },
        { member_id: colleague.id, counts: true },
      ],
    });
  });

  it('refused calls of a key are in the log of its workspace, counted and not once each', async () => {
    const { admin, service } = await workspace('refusing');
    const viewer = await addPerson(admin, { name: 'refused-viewer', role: 'viewer' });
    const bot = await service.post('/api/agents/register', { name: 'bot' });
    const policy = { name: 'p', action_type: 'p', effect: 'allow' };
    for (let i = 0; i < 5; i++)
      expect(await viewer.api.post('/api/v1/policies', policy)).toMatchObject({ status: 403 });
    await admin.as(String(bot.body['api_key'])).post('/api/v1/policies', policy);
    const found = await eventually(async () => {
      const all = await entries(admin, 'access.refused');
      return all.length >= 2 ? all : undefined;
    });
    expect(found).toHaveLength(2);
    expect(found).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ operator: expect.objectContaining({ id: viewer.id }) as object }),
        expect.objectContaining({ agent: { id: bot.body['id'], name: 'bot' } }),
      ]),
    );
    expect(await admin.get('/api/v1/audit/verify')).toMatchObject({ body: { chain_valid: true } });
  });

  it('a policy names channels of its own workspace', async () => {
    const [ours, theirs] = [await workspace('channels-ours'), await workspace('channels-theirs')];
    const channel = async (by: Api) => {
      const { body } = await by.post('/api/v1/channels', {
        ...{ type: 'email', name: 'c', to: ['c@example.com'], events: [] },
      });
      return String(body['id']);
    };
    const [own, foreign] = [await channel(ours.admin), await channel(theirs.admin)];
    const policy = (...channels: string[]) => ({
      ...{ name: channels.join(), action_type: 'c', effect: 'require_approval' },
      escalation: [{ after: '1m', channels }],
    });
    const made = await ours.admin.post('/api/v1/policies', policy(own));
    expect(made.status).toBe(201);
    for (const answer of [
      await ours.admin.post('/api/v1/policies', policy(own, foreign)),
      await ours.admin.call('PATCH', `/api/v1/policies/${String(made.body['id'])}`, {
        body: { escalation: policy(own, foreign).escalation },
      }),
    ])
      expect(answer).toMatchObject({
        status: 400,
        body: { error: 'VALIDATION_FAILED', errors: [{ pointer: '/escalation/0/channels/1' }] },
      });
    await ours.admin.call('DELETE', `/api/v1/channels/${own}`);
    const patch = { body: { timeout: '2h' } };
    expect(
      (await ours.admin.call('PATCH', `/api/v1/policies/${String(made.body['id'])}`, patch)).status,
    ).toBe(200);
  });
});
