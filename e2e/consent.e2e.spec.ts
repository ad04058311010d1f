import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { addPerson } from './kit/people.js';

const password = 'a long password';

describe('people of several workspaces', () => {
  let stack: Stack;
  let root: Api;
  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    root = adminOf(stack);
  });
  afterAll(() => stack.stop());

  async function workspace(name: string) {
    const email = `${name}@example.com`;
    const { status, body, text } = await root.post('/api/v1/workspaces', {
      name,
      admin: { email, name, password },
    });
    if (status !== 201) throw new Error(text);
    return {
      orgId: String(body['org_id']),
      admin: root.as((body['admin'] as { api_key: string }).api_key),
      service: root.as(String(body['service_key'])),
      email,
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

  it('nobody borrows the instance administrator', async () => {
    const { admin } = await workspace('borrower');
    const invited = await invite(admin, stack.credentials.admin.email, 'viewer');
    expect(invited).toMatchObject({ status: 201, body: { status: 'invited' } });
    expect(Object.keys(invited.body).sort()).toEqual(
      Object.keys((await invite(admin, 'new-there@example.com')).body).sort(),
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

  it('an administrator of the first workspace does not borrow it either', async () => {
    const second = await addPerson(root, { name: 'second', role: 'admin' });
    const me = String((await root.get('/api/v1/whoami')).body['config_id']);
    const made = await second.api.post('/api/v1/keys', { name: 'k', kind: 'operator', member_id: me });
    expect(made.status).toBe(201);
    const borrowed = root.as(String(made.body['key']));
    expect((await borrowed.get('/api/v1/whoami')).body).toMatchObject({
      role: 'admin',
      instance_admin: false,
    });
    const body = { name: 'w', admin: { email: 'w@example.com', name: 'W', password } };
    expect(await borrowed.post('/api/v1/workspaces', body)).toMatchObject({ status: 403 });
    expect((await root.get('/api/v1/whoami')).body).toMatchObject({ instance_admin: true });
  });

  it('who is invited has no vote before accepting, and one on what is asked after it', async () => {
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

  it('a new workspace is in its own log and in the log of who made it', async () => {
    const { admin } = await workspace('logged');
    const [own] = await entries(admin, 'workspace.created');
    expect(own?.['operator']).toBeNull();
    const me = String((await root.get('/api/v1/whoami')).body['config_id']);
    await eventually(async () =>
      (await entries(root, 'workspace.created')).some(
        ({ operator }) => (operator as { id: string } | null)?.id === me,
      ),
    );
    expect(await admin.get('/api/v1/audit/verify')).toMatchObject({ body: { chain_valid: true } });
  });

  it('an account of somebody else is not made the administrator of a new workspace', async () => {
    const { email } = await workspace('somebody');
    const made = await root.post('/api/v1/workspaces', { name: 'x', admin: { email, name: 'x', password } });
    expect(made).toMatchObject({ status: 409, body: { error: 'EMAIL_TAKEN' } });
  });
});
