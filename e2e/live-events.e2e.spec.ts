import { AgentLattice } from '@agentlattice/sdk';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import WebSocket from 'ws';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { EventSourceClient, sequenceOf } from './kit/event-source.js';
import { addAgent, addPerson } from './kit/people.js';

describe('live events', () => {
  let stack: Stack;
  let admin: Api;
  let agent: Api;
  let adminKey: string;
  let agentKey: string;

  beforeAll(async () => {
    stack = await startStack({ samplePolicy: false });
    await stack.startServices();
    admin = adminOf(stack);
    agent = agentOf(stack);
    adminKey = stack.credentials.admin.api_key;
    agentKey = stack.credentials.agent.api_key;
    await admin.policy({ name: 'asks', action_type: 'ask.*', effect: 'require_approval' });
  });
  const opened: EventSourceClient[] = [];
  afterAll(async () => {
    for (const client of opened) client.close();
    await stack.stop();
  });

  const open = async (key: string, options: Parameters<typeof EventSourceClient.open>[2] = {}) => {
    const client = await EventSourceClient.open(stack.baseUrl, key, options);
    opened.push(client);
    return client;
  };
  const ask = async (name = 'ask.me', by = agent) => {
    const { body, status, text } = await by.submit(name, { secret: 'do not tell' });
    if (status !== 202) throw new Error(text);
    return String(body['approval_id']);
  };
  const types = ({ heard }: EventSourceClient) => heard.map(({ type }) => type);
  const idsOf = ({ heard }: EventSourceClient, type: string) =>
    heard
      .filter((event) => event.type === type)
      .map(({ data }) => (data['data'] as { approval_id: string }).approval_id);

  it('deliver a request, its votes and its decision to listeners, with references alone', async () => {
    const listener = await open(adminKey, { query: '?types=approval.requested,approval.approved' });
    await eventually(() => listener.heartbeats.length > 0);
    const id = await ask();
    await admin.post(`/api/v1/approvals/${id}/approve`, { reason: 'do not tell either' });
    await eventually(() => types(listener).includes('approval.approved'));
    expect(types(listener)).toEqual(['approval.requested', 'approval.approved']);
    expect(listener.heard[0]).toMatchObject({
      id: expect.stringMatching(/^[a-z0-9]+\.\d+$/) as string,
      data: { type: 'approval.requested', agent_id: stack.credentials.agent.id, data: { approval_id: id } },
    });
    expect(JSON.stringify(listener.heard)).not.toMatch(/do not tell/);
    expect(Date.parse(String(listener.heartbeats[0]?.data['time']))).toBeGreaterThan(Date.now() - 60_000);
    listener.close();
  });

  it('are in order, each once, over connections that break at any time', async () => {
    const sequences: number[] = [];
    const approvals: string[] = [];
    let last: string | undefined;
    let stopped = false;
    const first = await open(adminKey);
    await eventually(() => first.last !== undefined);
    last = first.last;
    first.close();
    const listening = (async () => {
      while (!stopped) {
        const listener = await open(adminKey, { lastEventId: last, query: '?types=approval.requested' });
        await new Promise((resolve) => setTimeout(resolve, 20 + Math.random() * 150));
        listener.close();
        await eventually(() => listener.ended);
        expect(types(listener)).not.toContain('reset');
        sequences.push(...listener.heard.map(({ id }) => sequenceOf(id)));
        approvals.push(...idsOf(listener, 'approval.requested'));
        last = listener.last ?? last;
      }
    })();
    const asked: string[] = [];
    for (let batch = 0; batch < 25; batch++)
      asked.push(...(await Promise.all(Array.from({ length: 8 }, () => ask()))));
    await eventually(() => approvals.length >= asked.length, { within: 30_000 });
    stopped = true;
    await listening;
    expect(approvals.length).toBe(asked.length);
    expect([...approvals].sort()).toEqual([...asked].sort());
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
  });

  it('go on at the next gateway after this one was killed', async () => {
    const listener = await open(adminKey);
    const before = await ask();
    await eventually(() => listener.heard.length > 0);
    stack.kill('gateway');
    await eventually(() => listener.ended);
    await stack.ready('gateway');
    const between = await ask();
    const again = await open(adminKey, { lastEventId: listener.last });
    const after = await ask();
    await eventually(() => again.heard.length >= 2);
    expect([...idsOf(listener, 'approval.requested'), ...idsOf(again, 'approval.requested')]).toEqual([
      before,
      between,
      after,
    ]);
    again.close();
  });

  it('deliver to an agent its own events, and to another workspace nothing', async () => {
    const other = await addAgent(admin, 'other-agent');
    const made = await admin.post('/api/v1/workspaces', {
      name: 'elsewhere',
      admin: { email: 'else@example.com', name: 'Else', password: 'a long password' },
    });
    // Its own first events may still be on their way.
    const foreign = await open((made.body['admin'] as { api_key: string }).api_key, {
      query: '?types=approval.requested',
    });
    const [own, all] = [await open(agentKey), await open(adminKey)];
    const mine = await ask('ask.mine');
    const theirs = await ask('ask.theirs', other.api);
    await eventually(() => idsOf(all, 'approval.requested').length === 2);
    expect(idsOf(all, 'approval.requested').sort()).toEqual([mine, theirs].sort());
    expect(idsOf(own, 'approval.requested')).toEqual([mine]);
    expect(foreign.heard).toEqual([]);
    for (const one of [foreign, own, all]) one.close();
  });

  it('begin with a reset after an id that is not known', async () => {
    for (const lastEventId of ['nonsense', 'abc.1', 'zzzzzzzz.99999999999']) {
      const listener = await open(adminKey, { lastEventId });
      await eventually(() => listener.heard.length > 0);
      expect(listener.heard[0]).toMatchObject({ type: 'reset' });
      listener.close();
    }
  });

  it('end within a second once the key is revoked', async () => {
    const viewer = await addPerson(admin, { name: 'vera', role: 'viewer' });
    const { body } = await admin.post('/api/v1/keys', {
      name: 'hers',
      kind: 'operator',
      member_id: viewer.id,
    });
    const listener = await open(String(body['key']));
    await eventually(() => listener.heartbeats.length > 0);
    expect((await admin.call('DELETE', `/api/v1/keys/${String(body['id'])}`)).status).toBeLessThan(300);
    await eventually(() => listener.ended, { within: 1_500 });
    expect((await open(String(body['key']))).status).toBe(401);
  });

  it('are refused to callers without the right', async () => {
    expect((await open('al_op_unknown')).status).toBe(401);
    expect((await open(stack.credentials.service_key)).status).toBe(403);
    expect((await open(adminKey, { query: '?types=%3Cscript%3E' })).status).toBe(400);
    // An answer to HEAD has an end.
    expect((await admin.call('HEAD', '/api/v1/events')).status).toBe(200);
  });

  it('end with a hint when to come back once the gateway is stopped', async () => {
    const listener = await open(adminKey);
    await eventually(() => listener.heartbeats.length > 0);
    await stack.halt('gateway');
    await eventually(() => listener.ended);
    expect(listener.retryMs).toBeGreaterThan(0);
    await stack.resume('gateway');
    await stack.ready('gateway');
    const again = await open(adminKey, { lastEventId: listener.last });
    const id = await ask();
    await eventually(() => idsOf(again, 'approval.requested').includes(id));
    expect(types(again)).not.toContain('reset');
    again.close();
  });

  it('begin with a reset after the stream was lost', async () => {
    const listener = await open(adminKey);
    await ask();
    await eventually(() => listener.heard.length > 0);
    await stack.wipeNats();
    await stack.ready('nats');
    await eventually(async () => (await agent.submit('ask.me')).status === 202, {
      within: 60_000,
      every: 500,
    });
    await eventually(() => types(listener).includes('reset') || listener.ended, { within: 30_000 });
    const again = await open(adminKey, { lastEventId: listener.last });
    if (!types(listener).includes('reset')) {
      await eventually(() => again.heard.length > 0);
      expect(types(again)[0]).toBe('reset');
    }
    const id = await ask();
    await eventually(() => idsOf(again, 'approval.requested').includes(id), { within: 20_000 });
    listener.close();
    again.close();
  });

  it('are an async iterator in the SDK, which reconnects by itself', async () => {
    const al = new AgentLattice({ apiKey: adminKey, baseUrl: stack.baseUrl });
    const controller = new AbortController();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const event of al.subscribe({ signal: controller.signal, types: ['approval.requested'] }))
        heard.push(String((event.data['data'] as { approval_id: string }).approval_id));
    })();
    const asked: string[] = [];
    await eventually(async () => {
      asked.push(await ask());
      return heard.length > 0;
    });
    stack.kill('gateway');
    await stack.ready('gateway');
    const later = [await ask(), await ask()];
    await eventually(() => later.every((id) => heard.includes(id)), { within: 30_000 });
    expect(new Set(heard).size).toBe(heard.length);
    expect(asked).toEqual(expect.arrayContaining(heard.filter((id) => !later.includes(id))));
    controller.abort();
    await listening;
  });

  it('of actions reach an SDK that names them', async () => {
    const al = new AgentLattice({ apiKey: adminKey, baseUrl: stack.baseUrl });
    const controller = new AbortController();
    const heard: string[] = [];
    const listening = (async () => {
      for await (const event of al.subscribe({ signal: controller.signal, types: ['action.denied'] }))
        heard.push(event.type);
    })();
    await eventually(async () => {
      await agent.submit('nobody.knows');
      return heard.length > 0;
    });
    expect(new Set(heard)).toEqual(new Set(['action.denied']));
    controller.abort();
    await listening;
  });

  describe('over the realtime channel', () => {
    const url = (key: string) =>
      `${stack.baseUrl.replace('http', 'ws')}/realtime/v1?apikey=${key}&eventsPerSecond=10`;
    const channel = async (key: string) => {
      const socket = new WebSocket(url(key));
      const received: Record<string, unknown>[] = [];
      const state = { received, socket, code: 0, status: 0 };
      socket.on('message', (data: Buffer) =>
        received.push(JSON.parse(data.toString()) as Record<string, unknown>),
      );
      socket.on('close', (code) => (state.code = code));
      await new Promise<void>((resolve) => {
        socket.on('open', () => resolve());
        socket.on('unexpected-response', (_request, response) => {
          state.status = response.statusCode ?? 0;
          resolve();
        });
        socket.on('error', () => resolve());
      });
      const send = (topic: string, event: string) =>
        socket.send(JSON.stringify({ topic, event, payload: {}, ref: '1' }));
      return Object.assign(state, { send });
    };

    it('are sent to every socket in the workspace’s topic, in the form of the published client', async () => {
      const org = stack.credentials.org_id;
      const one = await channel(agentKey);
      one.send(`gov:${org}`, 'phx_join');
      await eventually(() => one.received.length > 0);
      expect(one.received[0]).toMatchObject({ event: 'phx_reply', payload: { status: 'ok' }, ref: '1' });
      one.send('phoenix', 'heartbeat');
      await eventually(() => one.received.length > 1);
      const denied = await agent.submit('nobody.knows');
      // An event of an action before it may still be on its way.
      const id = String(denied.body['audit_event_id']);
      const frame = () => one.received.find((received) => JSON.stringify(received).includes(id));
      await eventually(() => frame() !== undefined);
      expect(frame()).toMatchObject({
        topic: `gov:${org}`,
        event: 'broadcast',
        payload: {
          event: 'governance',
          payload: {
            event_type: 'action.denied',
            org_id: org,
            agent_id: stack.credentials.agent.id,
            data: { audit_event_id: id },
          },
        },
      });
      one.socket.close();
    });

    it('answer a foreign topic with an error and an end, and a wrong key with 401', async () => {
      const one = await channel(agentKey);
      one.send('gov:org_01m8j2xcpdfqdrtgdresrnn6jb', 'phx_join');
      await eventually(() => one.code !== 0);
      expect(one.received[0]).toMatchObject({ event: 'phx_reply', payload: { status: 'error' } });
      expect(one.code).toBe(1008);
      expect((await channel('al_agent_wrong')).status).toBe(401);
      expect((await channel(stack.credentials.service_key)).status).toBe(403);
    });

    it('close a socket that sends an invalid message, and never show the key', async () => {
      const one = await channel(agentKey);
      one.socket.send('{"no":"message"}');
      await eventually(() => one.code !== 0);
      expect(one.code).toBe(1007);
      expect(stack.printed.join('\n')).not.toContain(agentKey);
    });
  });
});
