import { joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { addPerson, type Person } from './kit/people.js';

describe('people are shown by name beside their ids', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;
  let ada: Person;
  let requests: ReturnType<typeof approvalsOf>;
  let decided: string;

  beforeAll(async () => {
    stack = await joinSharedStack();
    admin = adminOf(stack);
    agent = agentOf(stack);
    requests = approvalsOf(admin, agent);
    ada = await addPerson(admin, { name: 'ada', role: 'member' });
    await requests.asksFor('soon.over', { timeout: '1s' });
    decided = await requests.requested('deploy.production');
  });
  afterAll(() => stack.leave());

  it('in the answer to a decision, and in the refusal of a later one', async () => {
    expect(await requests.approve(decided, { reason: 'looks right' }, ada.api)).toMatchObject({
      status: 200,
      body: { status: 'approved', resolved_by: ada.id, resolved_by_name: 'ada' },
    });
    expect(await requests.deny(decided)).toMatchObject({
      status: 409,
      body: { decision: { resolved_by: ada.id, resolved_by_name: 'ada' } },
    });
  });

  it('in the status that the agent reads, and with the request', async () => {
    expect((await requests.statusOf(decided)).body).toMatchObject({ resolved_by_name: 'ada' });
    const view = await requests.show(decided);
    expect(view).toMatchObject({
      resolved_by_name: 'ada',
      votes: [{ member_id: ada.id, member_name: 'ada' }],
    });
    expect(view['history']).toContainEqual(
      expect.objectContaining({ operator: { id: ada.id, name: 'ada', via: 'api' } }),
    );
    const { body } = await admin.get('/api/v1/approvals?status=approved');
    expect(body['approvals']).toContainEqual(
      expect.objectContaining({ id: decided, resolved_by_name: 'ada' }),
    );
  });

  it('in the log, which also contains the reason of a time-out', async () => {
    const trail = await requests.trail(decided, 'approval.approved');
    expect(trail).toContainEqual(
      expect.objectContaining({
        type: 'approval.approved',
        operator: { id: ada.id, name: 'ada', via: 'api' },
        resolved_by_name: 'ada',
        reason: 'looks right',
      }),
    );
    const late = await requests.requested('soon.over');
    expect(await requests.trail(late, 'approval.timed_out')).toContainEqual(
      expect.objectContaining({
        type: 'approval.timed_out',
        operator: null,
        resolved_by_name: null,
        reason: 'approval_timeout',
      }),
    );
  });

  it('with the owner of an agent, and the member and maker of a key', async () => {
    const { body: agents } = await admin.get('/api/v1/agents');
    expect(agents['agents']).toContainEqual(
      expect.objectContaining({ id: stack.credentials.agent.id, owner_name: 'Administrator' }),
    );
    const { body: keys } = await admin.get('/api/v1/keys?limit=200');
    expect(keys['keys']).toContainEqual(
      expect.objectContaining({ member_id: ada.id, member_name: 'ada', made_by_name: 'Administrator' }),
    );
  });
});
