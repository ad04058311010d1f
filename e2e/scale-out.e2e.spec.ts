import { randomUUID } from 'node:crypto';
import { serviceNames } from '@agentlattice/contracts';
import {
  eventually,
  type Stack,
  startStack,
  tcpBalancer,
  type TcpBalancer,
  type WebhookReceiver,
  webhookReceiver,
} from '@agentlattice/testkit';
import { adminOf, agentOf, type Answer, type Api } from './kit/api.js';
import { readLog } from './kit/log.js';
import { addAgent } from './kit/people.js';
import { type SpanCounter, spanCounter } from './kit/span-counter.js';

describe('two replicas of every service', () => {
  let stack: Stack;
  let spans: SpanCounter;
  let receiver: WebhookReceiver;
  let balancer: TcpBalancer;
  /** The administrator and the agent at each gateway, and at one address for both. */
  let admins: readonly [Api, Api];
  let agents: readonly [Api, Api];
  let admin: Api;
  let agent: Api;

  beforeAll(async () => {
    [spans, receiver] = await Promise.all([spanCounter(), webhookReceiver()]);
    stack = await startStack({
      samplePolicy: false,
      env: { EGRESS_ALLOW: '127.0.0.0/8', ...spans.environmentOf('first') },
    });
    await stack.startServices();
    const others = await Promise.all(
      serviceNames.map(async (service) => ({
        service,
        ...(await stack.startReplica(service, spans.environmentOf('second'))),
      })),
    );
    const second = others.find(({ service }) => service === 'gateway')?.baseUrl ?? '';
    balancer = await tcpBalancer([stack.baseUrl, second].map((url) => Number(new URL(url).port)));
    const at = (baseUrl: string) => ({ baseUrl, credentials: stack.credentials });
    admins = [adminOf(at(stack.baseUrl)), adminOf(at(second))];
    agents = [agentOf(at(stack.baseUrl)), agentOf(at(second))];
    admin = adminOf(at(balancer.url));
    agent = agentOf(at(balancer.url));
    await admin.policy({ name: 'asks', action_type: 'ask.me', effect: 'require_approval' });
    await admin.policy({ name: 'lets', action_type: 'let.me', effect: 'allow' });
    const channel = { type: 'webhook', name: 'outcomes', url: receiver.url, events: ['approval.approved'] };
    expect((await admin.post('/api/v1/channels', channel)).status).toBe(201);
    await eventually(async () => (await agent.submit('let.me')).status === 200);
  }, 240_000);
  afterAll(async () => {
    await stack.stop();
    await Promise.all([balancer.stop(), receiver.stop(), spans.stop()]);
  });

  const waitFor = (by: Api, id: string) =>
    by.call('GET', `/api/v1/approvals/${id}/status`, { headers: { prefer: 'wait=60' } });

  /** Each request was opened and approved once in the log, and told once: repeats of a delivery have its id. */
  async function oneEffectEach(approvals: readonly string[]): Promise<void> {
    const told = () => {
      const ids = new Map<string, Set<unknown>>();
      for (const { event, headers } of receiver.got)
        ids.set(event.subject, (ids.get(event.subject) ?? new Set()).add(headers['webhook-id']));
      return ids;
    };
    await eventually(() => approvals.every((id) => told().has(id)), { within: 60_000, every: 100 });
    expect([...told()].filter(([, deliveries]) => deliveries.size !== 1)).toEqual([]);
    const typesOf = async () => {
      const types = new Map<string, string[]>();
      for (const { type, approval_id: id } of await readLog(admin))
        if (id !== null && /^(action|approval)\./.test(type)) types.set(id, [...(types.get(id) ?? []), type]);
      return types;
    };
    const wanted = ['action.requested', 'approval.approved', 'approval.opened'];
    const types = await eventually(
      async () => {
        const found = await typesOf();
        return approvals.every((id) => found.get(id)?.includes('approval.approved')) && found;
      },
      { within: 30_000, every: 200 },
    );
    expect(approvals.filter((id) => types.get(id)?.sort().join() !== wanted.join())).toEqual([]);
    expect(await admin.get('/api/v1/audit/verify')).toMatchObject({ body: { chain_valid: true } });
  }

  it('share the work; an action that is sent to both gateways, and a decision, has one effect', async () => {
    const opened: string[] = [];
    const allowed: string[] = [];
    const sendToBoth = async (n: number): Promise<void> => {
      const eventId = randomUUID();
      const type = n % 2 === 0 ? 'ask.me' : 'let.me';
      const [one, other] = await Promise.all(agents.map((at) => at.submit(type, { n }, eventId)));
      expect(other?.body['audit_event_id']).toBe(one?.body['audit_event_id']);
      if (type === 'let.me') {
        allowed.push(String(one?.body['audit_event_id']));
        return;
      }
      const id = String(one?.body['approval_id']);
      expect(other?.body['approval_id']).toBe(id);
      opened.push(id);
      // Each gateway waits for what was decided at the other one.
      const waiting = agents.map((at) => waitFor(at, id));
      const decided = await Promise.all(admins.map((at) => at.post(`/api/v1/approvals/${id}/approve`, {})));
      expect(decided.map(({ status }) => status).sort()).toEqual([200, 409]);
      for (const answer of waiting) expect((await answer).body).toMatchObject({ status: 'approved' });
    };
    await Promise.all(Array.from({ length: 60 }, (_, n) => sendToBoth(n)));
    // One ledger writes, and the other one stands by. A replica may take all events of a burst in one batch, so single ones follow.
    const working = serviceNames.filter((service) => service !== 'audit-ledger');
    const replicas = ['first', 'second'].flatMap((n) => working.map((service) => `${n} ${service}`));
    await eventually(
      async () => {
        const idle = replicas.filter((replica) => !spans.working().includes(replica));
        if (idle.length === 0) return true;
        await sendToBoth(0);
        throw new Error(`no work was seen of ${idle.join(', ')}`);
      },
      { within: 60_000, every: 100 },
    );
    await oneEffectEach(opened);
    const entries = (await readLog(admin)).filter(({ type }) => type === 'action.executed');
    const ids = entries.map(({ id }) => id);
    expect(allowed.map((id) => ids.filter((found) => found === id).length)).toEqual(allowed.map(() => 1));
  });

  it('lose no wake-up and make no effect twice while one replica of each is killed', async () => {
    /** As clients do: what was cut off or answered with 503 is sent again, with the same id. */
    const insisting = async (ask: () => Promise<Answer>, good: readonly number[]): Promise<Answer> =>
      eventually(
        async () => {
          const answer = await ask().catch(() => undefined);
          if (answer === undefined || answer.status === 503) return undefined;
          if (!good.includes(answer.status)) throw new Error(answer.text);
          return answer;
        },
        { within: 60_000, every: 50 },
      );
    let running = true;
    const opened: string[] = [];
    const heard: string[] = [];
    const loop = async (_: unknown, worker: number) => {
      // While a gateway is dead, everything goes to the other one.
      const by = worker % 2 === 0 ? agent : (agents[1] ?? agent);
      while (running) {
        const eventId = randomUUID();
        const submitted = await insisting(() => agent.submit('ask.me', {}, eventId), [202]);
        const id = String(submitted.body['approval_id']);
        opened.push(id);
        const waiting = insisting(() => waitFor(by, id), [200]);
        await insisting(() => admin.post(`/api/v1/approvals/${id}/approve`, {}), [200, 409]);
        expect((await waiting).body).toMatchObject({ status: 'approved' });
        heard.push(id);
      }
    };
    const loops = Promise.all(Array.from({ length: 4 }, loop));
    // The ledger that writes is the first one; its standby takes over. Each is started again while the next one is killed.
    for (const killed of serviceNames) {
      const before = heard.length;
      stack.kill(killed);
      await eventually(() => heard.length >= before + 8, { within: 60_000 });
    }
    running = false;
    await loops;
    await Promise.all(serviceNames.map((killed) => stack.ready(killed)));
    expect(heard.sort()).toEqual(opened.sort());
    await oneEffectEach(opened);
  });

  it('answer decisions while NATS reads its configuration again, and forgets which answers it has allowed', async () => {
    const opened = await Promise.all(
      Array.from({ length: 40 }, async () => String((await agent.submit('ask.me')).body['approval_id'])),
    );
    const decided: number[] = [];
    for (const id of opened) {
      const deciding = admin.post(`/api/v1/approvals/${id}/approve`, {});
      stack.kill('nats', 'SIGHUP');
      decided.push((await deciding).status);
    }
    expect(decided).toEqual(opened.map(() => 200));
  });

  it('enforce a changed policy, a suspension and a revoked key at both gateways within a second', async () => {
    const person = await addAgent(admin, 'to be stopped');
    const id = await admin.policy({ name: 'changes', action_type: 'change.me', effect: 'allow' });
    const key = await admin.post('/api/v1/keys', { name: 'k', kind: 'agent', agent_id: person.id });
    const made = { id: String(key.body['id']), key: String(key.body['key']) };
    const isAllowed = ({ status, body }: Answer) => status === 200 && body['status'] === 'executed';
    const ask = (at: Api, as: string | null) => at.as(as).submit('change.me');
    for (const at of admins)
      for (const as of [person.api.key, made.key])
        await eventually(async () => isAllowed(await ask(at, as)), { within: 30_000 });
    /** Asks both gateways from the answer on: what is sent a second later must be refused. */
    const enforced = async (changed: Promise<Answer>, as: string | null) => {
      expect((await changed).status).toBe(200);
      const answeredAt = performance.now();
      await Promise.all(
        admins.map(async (at) => {
          for (let sentAt = answeredAt; ; sentAt = performance.now()) {
            if (!isAllowed(await ask(at, as))) return;
            expect(sentAt - answeredAt).toBeLessThan(1_000);
          }
        }),
      );
    };
    await enforced(admins[0].call('DELETE', `/api/v1/keys/${made.id}`), made.key);
    await enforced(
      admins[0].call('PATCH', `/api/v1/policies/${id}`, { body: { effect: 'deny' } }),
      person.api.key,
    );
    await admins[1].call('PATCH', `/api/v1/policies/${id}`, { body: { effect: 'allow' } });
    for (const at of admins) await eventually(async () => isAllowed(await ask(at, person.api.key)));
    await enforced(admins[1].post(`/api/v1/agents/${person.id}/suspend`, {}), person.api.key);
  });

  it('answer every request, held or running, while one of each is stopped', async () => {
    const held = agents.flatMap((at) =>
      Array.from({ length: 4 }, () =>
        at.post('/api/v1/actions', { action_type: 'ask.me' }, { prefer: 'wait=60' }),
      ),
    );
    const pending = async () => {
      const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
      return (body['approvals'] as { id: string }[]).map(({ id }) => id);
    };
    await eventually(async () => (await pending()).length === held.length);
    let running = true;
    const unanswered: unknown[] = [];
    const loops = Array.from({ length: 4 }, async (_, n) => {
      while (running)
        await agent.submit(n % 2 === 0 ? 'let.me' : 'ask.me').then(
          ({ status, text }) => status === (n % 2 === 0 ? 200 : 202) || unanswered.push(text),
          (error: unknown) => unanswered.push(error),
        );
    });
    // The first gateway, the ledger that writes since the other was killed, and one of each other service.
    balancer.remove(Number(new URL(stack.baseUrl).port));
    for (const stopped of serviceNames)
      await stack.halt(stopped === 'audit-ledger' ? `${stopped}-2` : stopped);
    running = false;
    await Promise.all(loops);
    expect(unanswered).toEqual([]);
    // Those of the gateway that stopped were answered with the present state; the others are held until the decision.
    await Promise.all((await pending()).map((id) => admin.post(`/api/v1/approvals/${id}/approve`, {})));
    const answers = await Promise.all(held);
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
      ...held.slice(0, 4).map(() => [202, 'requested']),
      ...held.slice(4).map(() => [200, 'executed']),
    ]);
  });
});
