import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';

describe('a report about an action', () => {
  let stack: SharedStack;
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    stack = await joinSharedStack();
    [admin, agent] = [adminOf(stack), agentOf(stack)];
    await admin.policy({ name: 'notes', action_type: 'notes.*', effect: 'allow' });
    await eventually(async () => (await agent.submit('notes.write')).body['status'] === 'executed');
  });
  afterAll(() => stack.leave());

  const act = async (actionType = 'notes.write') =>
    String((await agent.submit(actionType)).body['audit_event_id']);
  const report = (audit_event_id: unknown, outcome: unknown, by = agent) =>
    by.post('/api/v1/report', { audit_event_id, outcome });

  it('is answered once it is in the log', async () => {
    const { audit_event_id: id, approval_id } = (await agent.submit('deploy.production')).body;
    const audit_event_id = String(id);
    const outcome = { status: 'success' };
    expect(await report(audit_event_id, outcome)).toMatchObject({
      status: 409,
      body: { error: 'NOT_REPORTABLE' },
    });
    expect((await admin.post(`/api/v1/approvals/${String(approval_id)}/approve`, {})).status).toBe(200);
    // At once, like an agent that was just allowed to act.
    const raw = `{"audit_event_id":"${audit_event_id}","outcome":{"status":"failure","message":"no space left",
      "metadata":{"ratio":0.5,"__proto__":{"x":1}}}}`;
    const { status, body } = await agent.call('POST', '/api/v1/report', { raw });
    expect({ status, body }).toEqual({
      status: 200,
      body: { audit_event_id, status: 'failure', reported_at: expect.any(String) as string },
    });
    const { text } = await admin.get('/api/v1/audit?type=action.reported&limit=1');
    // Every member that was sent, also members that JavaScript hides.
    expect(text).toContain('"__proto__":{"x":1}');
    expect(JSON.parse(text)).toMatchObject({
      events: [
        {
          timestamp: body['reported_at'],
          note: 'no space left',
          metadata: { audit_event_id, status: 'failure', metadata: { ratio: 0.5 } },
        },
      ],
    });
    expect(await readLog(admin)).toEqual(
      expect.arrayContaining([expect.objectContaining({ type: 'action.reported' })]),
    );
  });

  it('is refused from another agent, and for a denied action', async () => {
    const { body } = await admin.post('/api/agents/register', { name: 'neighbour' });
    const neighbour = admin.as(String(body['api_key']));
    const audit_event_id = await act();
    const outcome = { status: 'success' };
    const notFound = { status: 404, body: { error: 'NOT_FOUND' } };
    expect(await report(audit_event_id, outcome, neighbour)).toMatchObject(notFound);
    expect(await report('nothing', outcome)).toMatchObject(notFound);
    expect(await report(await act('unheard.of'), outcome)).toMatchObject({
      status: 409,
      body: { error: 'NOT_REPORTABLE' },
    });
  });

  it.each([
    [{ status: 'done' }, '/outcome/status'],
    [{ status: 'success', message: 'x'.repeat(4_001) }, '/outcome/message'],
    [{ status: 'success', metadata: [1] }, '/outcome/metadata'],
    [{ status: 'success', stauts: 1 }, '/outcome/stauts'],
    [null, '/outcome'],
  ])('has a form: %j', async (outcome, pointer) => {
    expect(await report('evt', outcome)).toMatchObject({
      status: 400,
      body: { error: 'VALIDATION_FAILED', errors: [{ pointer }] },
    });
  });

  it('counts in the posture, for a suspended agent too', async () => {
    const audit_event_id = await act();
    expect((await admin.post(`/api/v1/agents/${stack.credentials.agent.id}/suspend`, {})).status).toBe(200);
    await eventually(
      async () => (await agent.submit('notes.write')).body['denial_reason'] === 'AGENT_SUSPENDED',
    );
    const before = (await agent.get('/api/v1/posture')).body as unknown as Posture;
    const answer = await report(audit_event_id, { status: 'success' });
    expect(answer.status).toBe(200);
    for (const who of [agent, admin]) {
      const { status, body } = await who.get('/api/v1/posture');
      expect(status).toBe(200);
      const { score, components } = body as unknown as Posture;
      expect(components.outcome_reporting.score).toBeGreaterThan(
        who === agent ? before.components.outcome_reporting.score : 0,
      );
      expect(components.audit_integrity).toMatchObject({ score: 30, max: 30 });
      const sum = Object.values(components).reduce((total, part) => total + part.score, 0);
      expect(score).toBeCloseTo(sum, 1);
    }
  });
});

interface Posture {
  score: number;
  components: Record<'outcome_reporting' | 'audit_integrity', { score: number; max: number }>;
}
