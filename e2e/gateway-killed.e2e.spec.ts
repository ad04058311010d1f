import { AgentLattice } from '@agentlattice/sdk';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, type Api } from './kit/api.js';
import { addPerson } from './kit/people.js';

describe('a gateway that is killed', () => {
  let stack: Stack;
  let admin: Api;
  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    admin = adminOf(stack);
  });
  afterAll(() => stack.stop());

  const refusals = async (by: string) => {
    const { body } = await admin.get('/api/v1/audit?type=access.refused&limit=200');
    const entries = (body['events'] ?? []) as { operator: { id: string } | null }[];
    return entries.filter(({ operator }) => operator?.id === by).length;
  };

  it('right after a refusal has the attempt in the log every time; further calls make no entries of their own', async () => {
    const people: string[] = [];
    for (let round = 0; round < 2; round++) {
      const { id, api } = await addPerson(admin, { name: `prober-${String(round)}`, role: 'viewer' });
      people.push(id);
      expect(await api.get('/api/v1/keys')).toMatchObject({ status: 403, body: { error: 'FORBIDDEN' } });
      stack.kill('gateway');
      await stack.ready('gateway');
      await eventually(async () => (await refusals(id)) === 1, { within: 20_000 });
    }
    const [first] = people;
    if (first === undefined) throw new Error('there was no attempt');
    expect(await refusals(first)).toBe(1);
  });

  it('makes one entry at once for many refused calls', async () => {
    const { id, api } = await addPerson(admin, { name: 'flooder', role: 'viewer' });
    const answers = await Promise.all(Array.from({ length: 200 }, () => api.get('/api/v1/keys')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
    await eventually(async () => (await refusals(id)) === 1);
    expect(await admin.get('/api/v1/audit/verify')).toMatchObject({ body: { chain_valid: true } });
    expect(await refusals(id)).toBe(1);
  });

  it('does not end a gate of the SDK that waits', async () => {
    await admin.policy({ name: 'asks', action_type: 'deploy.production', effect: 'require_approval' });
    const { baseUrl, credentials } = stack;
    const al = new AgentLattice({ apiKey: credentials.agent.api_key, baseUrl });
    const operator = new AgentLattice({ apiKey: credentials.admin.api_key, baseUrl });
    const done = al.gate('deploy.production', { metadata: { service: 'tough' } });
    const { id } = await eventually(async () => (await operator.listPendingApprovals())[0]);
    stack.kill('gateway');
    await stack.ready('gateway');
    await operator.approveAction(id);
    await expect(done).resolves.toMatchObject({ approvalId: id });
  });
});
