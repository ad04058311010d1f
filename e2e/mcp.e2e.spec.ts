import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminOf, agentOf, type Api } from './kit/api.js';
import { approvalsOf } from './kit/approvals.js';
import { al, type Assistant, inPython, overHttp, overStdio, type Person } from './kit/mcp.js';
import { frames } from './mcp/frames.js';
import { addAgent, addPerson, addPersonWithOwnKey } from './kit/people.js';
import { type PythonEnvironment, pythonEnvironment } from './kit/python-environment.js';

const accept =
  (reason: string, seen: string[] = []): Person =>
  ({ message }) => {
    seen.push(message);
    return { action: 'accept', content: { reason } };
  };

/** For a busy machine; on an idle one it is made in 20 s. */
const patience = 600_000;

describe('the MCP server', () => {
  let stack: Stack;
  let second: { readonly baseUrl: string };
  let python: PythonEnvironment;
  let admin: Api;
  let bot: Api;
  let calls: ReturnType<typeof approvalsOf>;
  const open: Assistant[] = [];

  beforeAll(async () => {
    const environment = pythonEnvironment('mcp==2.3.0');
    stack = await startStack();
    await stack.startServices();
    // Another gateway, at which the person must be asked.
    second = await stack.startReplica('gateway', { MCP_ELICITATION: 'required' });
    admin = adminOf(stack);
    ({ api: bot } = await addAgent(admin, 'deploy-bot'));
    calls = approvalsOf(admin, bot);
    await calls.asksFor('deploy.staging');
    python = await environment;
  }, patience);
  afterAll(async () => {
    await Promise.all(open.map(({ client }) => client.close()));
    await (python as PythonEnvironment | undefined)?.remove();
    await stack.stop();
  });

  const http = async (key: string | null, options: Parameters<typeof overHttp>[2] = {}) => {
    const assistant = await overHttp(stack.baseUrl, key ?? '', options);
    open.push(assistant);
    return assistant;
  };
  const stdio = async (key: string | null, options: Parameters<typeof overStdio>[2] = {}) => {
    const assistant = await overStdio(stack.baseUrl, key ?? '', options);
    open.push(assistant);
    return assistant;
  };
  const submit = (service: string, action = 'deploy.production') =>
    calls.requested(action, { service, api_token: 'not for people' });
  const shown = async (assistant: Assistant, matching: string) => {
    const { structured } = await assistant.call('list_pending_approvals', { matching });
    const [request] = structured['requests'] as Record<string, unknown>[];
    return {
      match: structured['match'] as Record<string, unknown>,
      request: request ?? {},
      decision: {
        approval_id: request?.['approval_id'],
        action_digest: request?.['action_digest'],
      },
    };
  };

  it.each([
    ['HTTP', http],
    ['stdio', stdio],
  ])('lets a person approve “the deploy-bot production deploy” over %s', async (over, connect) => {
    await submit(`other-${over}`, 'deploy.staging');
    const id = await submit(over);
    const seen: string[] = [];
    const assistant = await connect(admin.key, { person: accept('I looked at it', seen) });
    const { match, request, decision } = await shown(
      assistant,
      `Approve the deploy-bot production deploy of ${over}`,
    );
    expect(match).toMatchObject({ result: 'one', missing_words: [] });
    expect(request).toMatchObject({
      approval_id: id,
      masked: ['/metadata/api_token'],
      written_by_agent: {
        untrusted: true,
        agent_name: 'deploy-bot',
        metadata: { service: over, api_token: null },
      },
    });
    const { text, structured } = await assistant.call('approve_action', decision);
    expect(seen).toEqual([expect.stringMatching(/^Approve this request\?\n\nAgent: "deploy-bot"/)]);
    expect(seen[0]).not.toContain('not for people');
    expect(text).toMatch(
      new RegExp(`^Request ${id}: approved by Administrator .*"I looked at it", 1 of 1 votes`),
    );
    expect(structured).toMatchObject({ outcome: 'approved', asked_person: true });
    expect(await calls.show(id)).toMatchObject({
      reason: 'I looked at it',
      history: expect.arrayContaining([
        expect.objectContaining({ operator: expect.objectContaining({ via: 'mcp' }) as object }),
      ]) as object,
    });
  });

  it('serves the official Python client over both', async () => {
    const ids = { HTTP: await submit('python-HTTP'), stdio: await submit('python-stdio') };
    const order = (over: string) => ({
      ...{ matching: `production deploy of python ${over}`, reason: 'from Python' },
    });
    const results = await inPython(python, [
      { ...order('HTTP'), url: `${stack.baseUrl}/mcp`, key: admin.key },
      {
        ...{ ...order('stdio'), command: process.execPath, args: [al, 'mcp'] },
        env: { AL_API_KEY: admin.key, AL_BASE_URL: stack.baseUrl },
      },
    ]);
    expect(results).toEqual(
      [ids.HTTP, ids.stdio].map((approval_id) =>
        expect.objectContaining({
          // It tries 2026-07-28 first, which the server's SDK does not speak.
          protocol: '2025-11-25',
          tools: expect.arrayContaining(['approve_action', 'verify_audit']) as unknown,
          match: 'one',
          asked: [expect.stringContaining('Approve this request?')],
          first: { error: false, outcome: 'approved', approval_id, asked_person: true },
          second: expect.stringMatching(/approved already .*approved by Administrator/) as unknown,
        }),
      ),
    );
  });

  it('takes the answer of the person at another gateway than the one that asked', async () => {
    const id = await submit('two-gateways');
    const used: string[] = [];
    const assistant = await http(admin.key, {
      person: accept('through the other door'),
      // Answers of the client go to the other gateway, everything else to the first.
      fetch: (url, init) => {
        const isAnswer = typeof init?.body === 'string' && 'result' in (JSON.parse(init.body) as object);
        const base = isAnswer ? second.baseUrl : stack.baseUrl;
        used.push(base);
        return fetch(new URL(new URL(String(url)).pathname, base), init);
      },
    });
    const { decision } = await shown(assistant, 'deploy-bot production two gateways');
    expect(await assistant.call('approve_action', decision)).toMatchObject({
      structured: { outcome: 'approved' },
    });
    expect(used.filter((base) => base === second.baseUrl)).toHaveLength(1);
    expect(await calls.show(id)).toMatchObject({ status: 'approved', reason: 'through the other door' });
  });

  it('decides nothing when the person declines, or the system wants them asked and the client cannot', async () => {
    const id = await submit('declined');
    const assistant = await http(admin.key, { person: () => ({ action: 'decline' }) });
    const { decision } = await shown(assistant, 'deploy-bot production declined');
    expect((await assistant.call('deny_action', decision)).structured).toMatchObject({
      outcome: 'not_decided',
    });
    const withoutForms = await overHttp(second.baseUrl, admin.key ?? '');
    open.push(withoutForms);
    expect(await withoutForms.call('approve_action', decision)).toMatchObject({
      isError: true,
      text: expect.stringContaining('ELICITATION_REQUIRED') as unknown,
    });
    expect(await calls.show(id)).toMatchObject({ status: 'pending', votes: [] });
    // At the first gateway forms are offered, not required.
    const plain = await http(admin.key);
    expect((await plain.call('deny_action', { ...decision, reason: 'not now' })).text).toMatch(
      /denied by Administrator .*"not now", 1 of 1 votes/,
    );
  });

  it('tells an agent within its wait, with heartbeats, and submits an event id once', async () => {
    const agent = await http(bot.key);
    const [event_id, beats] = [randomUUID(), [] as unknown[]];
    const args = { action_type: 'deploy.production', event_id, metadata: { service: 'waits' } };
    const asked = agent.call(
      'request_action',
      { ...args, wait_seconds: 60 },
      { onprogress: (beat) => beats.push(beat) },
    );
    const id = await eventually(() => newest('waits'));
    expect(await agent.call('request_action', { ...args, wait_seconds: 0 })).toMatchObject({
      text: expect.stringMatching(new RegExp(`Pending.*${id}.*approval_status.*/approvals/${id}`)) as unknown,
      structured: { cleared: false, ask_again: true, approval_id: id },
    });
    await calls.approve(id, { reason: 'go' });
    const { text, structured } = await asked;
    expect(text).toMatch(/^Cleared: request apr_\w+ was approved by Administrator/);
    expect(structured).toMatchObject({
      status: 'approved',
      cleared: true,
      grant: expect.any(String) as unknown,
    });
    expect(beats).toContainEqual({ progress: 1, message: 'waiting for a person for 0 s' });
    const { body } = await admin.get('/api/v1/audit?type=action.requested&limit=200');
    expect(
      (body['events'] as { approval_id: string }[]).filter(({ approval_id }) => approval_id === id),
    ).toHaveLength(1);
  });

  it('leaves the request when the client cancels the call, also through another gateway', async () => {
    const agent = await http(bot.key, {
      fetch: (url, init) => {
        const isCancel = typeof init?.body === 'string' && init.body.includes('notifications/cancelled');
        return fetch(new URL(new URL(String(url)).pathname, isCancel ? second.baseUrl : stack.baseUrl), init);
      },
    });
    const cancel = new AbortController();
    const args = {
      action_type: 'deploy.production',
      event_id: randomUUID(),
      metadata: { service: 'cancelled' },
    };
    const asked = agent.call(
      'request_action',
      { ...args, wait_seconds: 60 },
      { signal: cancel.signal, onprogress: () => undefined },
    );
    const id = await eventually(() => newest('cancelled'));
    cancel.abort('enough');
    await expect(asked).rejects.toThrow('enough');
    expect(await calls.show(id)).toMatchObject({ status: 'pending' });
    expect(await agent.call('approval_status', { approval_id: id })).toMatchObject({
      structured: { status: 'pending' },
    });
  });

  it('ends calls within a second of the revocation of their key', async () => {
    const { config_id: member_id } = (await admin.get('/api/v1/whoami')).body;
    const made = await admin.post('/api/v1/keys', { name: 'short', kind: 'operator', member_id });
    const key = made.body as { id: string; key: string };
    await submit('revoked');
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const assistant = await http(key.key, {
      person: () => {
        asked();
        return new Promise(() => undefined);
      },
    });
    const { decision } = await shown(assistant, 'deploy-bot production revoked');
    const call = assistant.call('approve_action', decision).then(
      () => 'answered',
      () => 'ended',
    );
    await isAsked;
    expect(await admin.call('DELETE', `/api/v1/keys/${key.id}`)).toMatchObject({ status: 200 });
    expect(await eventually(() => Promise.race([call, Promise.resolve(undefined)]), { within: 10_000 })).toBe(
      'ended',
    );
    await expect(assistant.call('list_pending_approvals', {})).rejects.toThrow();
  });

  it('lets nobody decide who may not, and finds nothing of other workspaces', async () => {
    const id = await submit('rights');
    const { decision } = await shown(await http(admin.key), 'deploy-bot production rights');
    const agent = await stdio(bot.key, { person: accept('by an agent') });
    const names = (await agent.client.listTools()).tools.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['request_action', 'approval_status']));
    expect(names).not.toEqual(expect.arrayContaining([expect.stringMatching(/approve|deny/)]));
    expect(await agent.call('approve_action', decision)).toMatchObject({
      isError: true,
      text: expect.stringContaining('SELF_APPROVAL') as unknown,
    });
    await eventually(async () => {
      const { body } = await admin.get('/api/v1/audit?type=access.refused&limit=10');
      return (body['events'] as { agent_name: string }[]).some(
        ({ agent_name }) => agent_name === 'deploy-bot',
      );
    });
    const viewer = await http((await addPerson(admin, { name: 'viewer', role: 'viewer' })).api.key);
    expect((await viewer.call('deny_action', decision)).text).toContain('FORBIDDEN');
    expect((await viewer.call('get_approval', { approval_id: id })).isError).toBe(false);
    expect((await viewer.call('request_action', { action_type: 'a.b', event_id: 'x' })).text).toContain(
      'FORBIDDEN',
    );
    expect((await viewer.call('approval_status', { approval_id: id })).text).toContain('FORBIDDEN');
    const elsewhere = await admin.post('/api/v1/workspaces', {
      ...{
        name: 'elsewhere',
        admin: { email: 'other@example.com', name: 'Other', password: 'a long password' },
      },
    });
    const stranger = await http((elsewhere.body['admin'] as { api_key: string }).api_key);
    for (const name of ['approve_action', 'deny_action'])
      expect((await stranger.call(name, decision)).text).toContain('NOT_FOUND');
    expect((await stranger.call('get_approval', { approval_id: id })).text).toContain('NOT_FOUND');
    expect((await stranger.call('query_audit', { approval_id: id })).structured).toEqual({
      events: [],
      next_cursor: null,
    });
    expect(await calls.show(id)).toMatchObject({ status: 'pending', votes: [] });
  });

  it('counts votes, and names who was faster', async () => {
    await calls.asksFor('db.migrate', { approvals_required: 2 });
    // Before the request: who comes later does not vote on it.
    const ada = await addPersonWithOwnKey(admin, admin, { name: 'Ada.Novak', role: 'member' });
    const id = await calls.requested('db.migrate');
    const [one, two, late] = [await http(admin.key), await http(ada.api.key), await http(agentOf(stack).key)];
    const { decision } = await shown(one, 'deploy-bot db migrate');
    expect((await one.call('approve_action', decision)).text).toBe(
      `Request ${id}: Your vote counts; nothing is decided yet: 1 of 2 approvals. Needed: 1 person.`,
    );
    expect((await one.call('approve_action', decision)).text).toContain('ALREADY_VOTED');
    expect((await two.call('approve_action', decision)).text).toMatch(
      /approved by Ada.Novak \(mbr_\w+\) at .*, 2 of 2 votes/,
    );
    expect((await one.call('deny_action', decision)).text).toMatch(
      /^Nothing was decided.*approved by Ada.Novak/,
    );
    // Another agent does not see it at all.
    expect((await late.call('approval_status', { approval_id: id })).text).toContain('NOT_FOUND');
  });

  it('answers the reading tools with what their schemas promise', async () => {
    // The client checks each answer by the schema of its tool.
    const assistant = await http(admin.key);
    await assistant.client.listTools();
    const check = await assistant.call('check_policy', { action_type: 'deploy.production' });
    expect(check.structured).toMatchObject({ allowed: false, needs_approval: true });
    expect((await assistant.call('list_policies', {})).text).toMatch(
      /pol_\w+: ".*", version 1: "deploy\.production" require_approval/,
    );
    expect((await assistant.call('query_audit', { limit: 100 })).isError).toBe(false);
    expect((await assistant.call('verify_audit', {})).structured).toMatchObject({
      chain_valid: true,
      complete: true,
    });
    const agent = await http(bot.key);
    await agent.client.listTools();
    for (const name of ['list_policies', 'query_audit', 'verify_audit', 'list_pending_approvals'])
      expect((await agent.call(name, {})).isError).toBe(false);
  });

  /** The newest pending request with this metadata; undefined before it is there. */
  const newest = async (service: string) => {
    const { body } = await admin.get('/api/v1/approvals?status=pending&limit=200');
    const found = (body['approvals'] as { id: string; metadata: { service?: string } }[]).find(
      ({ metadata }) => metadata.service === service,
    );
    return found?.id;
  };

  it('is named in the guide as it is reached', async () => {
    const guide = readFileSync(new URL('../docs/clients/mcp.md', import.meta.url), 'utf8');
    const blocks = (language: string) =>
      [...guide.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(
        ([, text = '']) => text,
      );
    const json = blocks('json').map((text) => JSON.parse(text) as Record<string, unknown>);
    const toml = (await inPython(python, blocks('toml'))) as Record<string, unknown>[];
    const servers = [...json, ...toml].map(
      (file) =>
        (file['mcpServers'] ?? file['mcp_servers'] ?? file['servers']) as Record<
          string,
          Record<string, unknown>
        >,
    );
    expect(servers).toHaveLength(5);
    const url = 'http://127.0.0.1:3000/mcp';
    for (const { agentlattice = {} } of servers)
      expect(agentlattice['command'] === undefined ? agentlattice['url'] : agentlattice['args']).toEqual(
        agentlattice['command'] === undefined ? url : ['al', 'mcp'],
      );
    expect(blocks('sh')).toEqual([expect.stringContaining(` agentlattice ${url} --header `)]);
  });

  frames(() => ({ baseUrl: stack.baseUrl, otherUrl: second.baseUrl, operator: admin.key, agent: bot.key }));
});
