import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import fc from 'fast-check';
import { adminOf, type Answer, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';
import { addAgent, type Person } from './kit/people.js';
import { PublishedClient } from './kit/published-client.js';

/** Whether an answer lets its reader act. */
const isGo = ({ text }: Answer) => /"(executed|approved|consumed)"|"grant":"/.test(text);

describe('a suspended agent', () => {
  let stack: Stack;
  let admin: Api;
  let names = 0;

  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    admin = adminOf(stack);
    await admin.policy({ name: 'reads', action_type: 'db.read', effect: 'allow' });
    const { api } = await addAgent(admin, 'probe');
    await eventually(async () => (await api.submit('db.read')).body['status'] === 'executed');
  });
  afterAll(() => stack.stop());

  const newAgent = () => addAgent(admin, `agent-${String(++names)}`);
  const suspend = async ({ id }: Person, body: object = {}) =>
    expect(await admin.post(`/api/v1/agents/${id}/suspend`, body)).toMatchObject({ status: 200 });
  const resume = async ({ id }: Person) =>
    expect(await admin.post(`/api/v1/agents/${id}/resume`, {})).toMatchObject({ status: 200 });
  const submit = (
    { api }: Person,
    action_type: string,
    { prefer = 'grant', event }: { prefer?: string; event?: string } = {},
  ) =>
    api.post(
      '/api/v1/actions',
      { action_type, metadata: { n: 1 } },
      { prefer, ...(event === undefined ? {} : { 'x-al-event-id': event }) },
    );
  const requested = async (agent: Person) => {
    const { status, body, text } = await submit(agent, 'deploy.production');
    if (status !== 202) throw new Error(text);
    return String(body['approval_id']);
  };
  const statusOf = ({ api }: Person, id: string, waitSeconds = 0) =>
    api.call('GET', `/api/v1/approvals/${id}/status`, {
      headers: waitSeconds === 0 ? {} : { prefer: `wait=${String(waitSeconds)}` },
    });
  const approve = (id: string) => admin.post(`/api/v1/approvals/${id}/approve`, { reason: 'reviewed' });
  const stopped = { denial_reason: 'AGENT_SUSPENDED' };

  it('does not get its first answer again, from the call on that suspended it, until it is resumed', async () => {
    const agent = await newAgent();
    const first = await submit(agent, 'db.read', { event: 'once' });
    expect(first.body).toMatchObject({ status: 'executed', grant: expect.any(String) as string });
    await suspend(agent);
    const again = await submit(agent, 'db.read', { event: 'once' });
    expect(again).toMatchObject({
      status: 200,
      body: { ...stopped, status: 'denied', audit_event_id: first.body['audit_event_id'] },
    });
    expect(isGo(again)).toBe(false);
    expect(
      await agent.api.post('/api/v1/grants', { audit_event_id: first.body['audit_event_id'] }),
    ).toMatchObject({
      status: 403,
      body: { error: 'AGENT_SUSPENDED' },
    });
    await resume(agent);
    expect((await submit(agent, 'db.read', { event: 'once' })).text).toBe(first.text);
  });

  it('does not read its requests as approved, by any route, and an operator reads no grant of it', async () => {
    const agent = await newAgent();
    const id = await requested(agent);
    await approve(id);
    await suspend(agent);
    const answers = [
      await statusOf(agent, id),
      await statusOf(agent, id, 5),
      await agent.api.get(`/api/approvals/${id}/status`),
      await agent.api.get(`/api/v1/approvals/${id}`),
      await agent.api.get('/api/v1/approvals'),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(isGo(answer)).toBe(false);
      expect(answer.text).toContain('AGENT_SUSPENDED');
    }
    expect((await statusOf({ ...agent, api: admin }, id)).body).toMatchObject({
      status: 'approved',
      grant: null,
    });
    await resume(agent);
    const resumed = await statusOf(agent, id);
    expect(resumed.body).toMatchObject({ status: 'approved', grant: expect.any(String) as string });
    expect((await agent.api.get(`/api/v1/approvals/${id}`)).body).toMatchObject({ status: 'approved' });
  });

  it('gets a denial from a held answer when a person approves meanwhile', async () => {
    const agent = await newAgent();
    const id = await requested(agent);
    const held = statusOf(agent, id, 60);
    const submitted = submit(agent, 'deploy.production', { prefer: 'wait=60, grant', event: 'held' });
    const other = await eventually(async () => {
      const { body } = await agent.api.get('/api/v1/approvals?status=pending');
      return (body['approvals'] as { id: string }[]).find((approval) => approval.id !== id)?.id;
    });
    await suspend(agent);
    await Promise.all([approve(id), approve(other)]);
    for (const answer of [await held, await submitted]) {
      expect(answer.body).toMatchObject({ ...stopped, status: 'denied' });
      expect(isGo(answer)).toBe(false);
    }
  });

  it('has its requests cancelled or kept as the command asks, and the reason is an erasable value', async () => {
    const [agent, patient] = [await newAgent(), await newAgent()];
    const [mine, kept] = [await requested(agent), await requested(patient)];
    const held = statusOf(agent, mine, 60);
    await suspend(agent, { pending: 'cancel', reason: 'it deleted a table' });
    await suspend(patient, { pending: 'keep', reason: 'a short break' });
    expect(await held).toMatchObject({ body: { status: 'denied' } });
    expect((await admin.get(`/api/v1/approvals/${mine}`)).body).toMatchObject({
      status: 'cancelled',
      denial_reason: 'CANCELLED',
      resolved_by: null,
      reason: 'it deleted a table',
      history: [
        { type: 'approval.opened' },
        {
          type: 'approval.cancelled',
          operator: null,
          reason: 'it deleted a table',
          note: 'The agent was suspended.',
        },
      ],
    });
    expect((await admin.get(`/api/v1/approvals/${kept}`)).body['status']).toBe('pending');
    expect((await admin.get(`/api/v1/agents/${agent.id}`)).body).toMatchObject({
      suspended: true,
      suspended_at: expect.stringMatching(/^20/) as string,
      suspended_reason: 'it deleted a table',
    });
    const told = await eventually(async () => {
      const { body } = await admin.get(`/api/v1/audit?type=agent.suspended&agent_id=${agent.id}`);
      return (body['events'] as Record<string, unknown>[])[0];
    });
    expect(told).toMatchObject({ reason: 'it deleted a table', operator: { via: 'api' } });
    const entry = (await readLog(admin)).find(({ id }) => id === told['id']);
    expect(entry?.private).toEqual({ reason: expect.stringMatching(/^[0-9a-f]{64}$/) as string });
    await resume(agent);
    expect((await admin.get(`/api/v1/agents/${agent.id}`)).body).toMatchObject({
      suspended: false,
      suspended_at: null,
      suspended_reason: null,
    });
    await approve(kept);
    expect(isGo(await statusOf(patient, kept))).toBe(false);
    await resume(patient);
    expect(isGo(await statusOf(patient, kept))).toBe(true);
  });

  it('has its requests cancelled although the gateway dies right after the suspension is on disk', async () => {
    const agent = await newAgent();
    const id = await requested(agent);
    await suspend(agent, { pending: 'cancel', reason: 'now' });
    stack.kill('gateway');
    stack.kill('approval-service');
    await stack.ready('gateway');
    await stack.ready('approval-service');
    await eventually(
      async () => (await admin.get(`/api/v1/approvals/${id}`)).body['status'] === 'cancelled',
      {
        within: 30_000,
      },
    );
    expect((await admin.get(`/api/v1/approvals/${id}`)).body).toMatchObject({ reason: 'now' });
  });

  it('with the published client stops, and goes on once it is resumed', async () => {
    const python = await PublishedClient.install(stack.baseUrl);
    try {
      const { body } = await admin.post('/api/agents/register', { name: 'python' });
      const agent = { id: String(body['id']), api: admin.as(String(body['api_key'])) };
      const gate = (action_type: string) =>
        python.call('gate', {
          key: String(body['api_key']),
          args: { action_type },
          settings: { gate_poll_interval_ms: 100 },
        });
      const waiting = gate('deploy.production');
      const id = await eventually(async () => {
        const { body: list } = await agent.api.get('/api/v1/approvals?status=pending');
        return (list['approvals'] as { id: string }[])[0]?.id;
      });
      await suspend(agent);
      await approve(id);
      expect(await waiting).toMatchObject({ error: { class: 'AgentLatticeDeniedError' } });
      expect(await gate('db.read')).toMatchObject({ error: { class: 'AgentLatticeDeniedError' } });
      await resume(agent);
      expect(await gate('db.read')).not.toHaveProperty('error');
    } finally {
      await python.stop();
    }
  }, 120_000);

  describe('in any interleaving', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom('suspend', 'resume') },
      {
        weight: 5,
        arbitrary: fc.constantFrom(
          'allowed',
          'again',
          'ask',
          'ask again',
          'hold',
          'approve',
          'read',
          'grant',
          'consume',
        ),
      },
    );

    it('gets nothing that lets it act between the answers to suspend and to resume', async () => {
      let stops = 0;
      let goes = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 18 }), async (steps) => {
          const agent = await newAgent();
          let suspendedNow = false;
          /** How often it was resumed: an answer that arrives in a later round may have been sent in between. */
          let round = 0;
          const held: Promise<unknown>[] = [];
          const requests: string[] = [];
          let allowed: Answer | null = null;
          let grant: { grant: string; action_digest: string } | null = null;
          const watch = async (asking: Promise<Answer>): Promise<Answer> => {
            const before = round;
            const answer = await asking;
            expect(answer.status).toBeLessThan(500);
            if (suspendedNow && before === round) {
              expect({ go: isGo(answer), text: answer.text }).toEqual({ go: false, text: answer.text });
              stops += 1;
            }
            if (isGo(answer)) goes += 1;
            return answer;
          };
          const all: Record<string, () => Promise<unknown>> = {
            suspend: async () => {
              if (suspendedNow) return;
              await suspend(agent);
              // Earlier answers have arrived once another call was answered.
              await agent.api.get('/api/v1/whoami');
              suspendedNow = true;
            },
            resume: async () => {
              if (!suspendedNow) return;
              suspendedNow = false;
              round += 1;
              await resume(agent);
            },
            allowed: async () => (allowed = await watch(submit(agent, 'db.read', { event: 'allowed' }))),
            again: () => watch(submit(agent, 'db.read', { event: 'allowed' })),
            ask: async () => {
              const { body } = await watch(
                submit(agent, 'deploy.production', { event: `a${String(requests.length)}` }),
              );
              if (typeof body['approval_id'] === 'string') requests.push(body['approval_id']);
            },
            'ask again': () => watch(submit(agent, 'deploy.production', { event: 'a0' })),
            hold: () => {
              const id = requests.at(-1);
              if (id !== undefined) held.push(watch(statusOf(agent, id, 1)));
              held.push(watch(submit(agent, 'deploy.production', { prefer: 'wait=1, grant', event: 'a0' })));
              return Promise.resolve();
            },
            approve: () => Promise.all(requests.map((id) => approve(id))),
            read: async () => {
              for (const id of requests) {
                const { body } = await watch(statusOf(agent, id));
                const view = await watch(agent.api.get(`/api/v1/approvals/${id}`));
                if (typeof body['grant'] === 'string')
                  grant = { grant: body['grant'], action_digest: String(view.body['action_digest']) };
              }
              return watch(agent.api.get('/api/v1/approvals'));
            },
            grant: async () => {
              if (allowed !== null)
                await watch(
                  agent.api.post('/api/v1/grants', { audit_event_id: allowed.body['audit_event_id'] }),
                );
            },
            consume: async () => {
              if (grant !== null) await watch(agent.api.post('/api/v1/grants/consume', grant));
            },
          };
          for (const one of steps) await all[one]?.();
          await Promise.all(held);
        }),
        { numRuns: 25, endOnFailure: true },
      );
      expect(Math.min(stops, goes)).toBeGreaterThan(5);
    }, 300_000);
  });
});
