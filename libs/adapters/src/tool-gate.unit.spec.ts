import { fakeSystem } from '../test/fake-system.js';
import { gateTools } from './ai-sdk.js';
import { gateTools as gateFunctionTools } from './openai-agents.js';
import { ToolGate } from './tool-gate.js';

const actions = 'POST /api/v1/actions';
const consume = 'POST /api/v1/grants/consume';
const call = { id: 'call_1', name: 'refund', arguments: { order: '17' } };

describe('a gate before a tool', () => {
  let ran: number;
  const tool = () => `ran ${String(++ran)}`;
  beforeEach(() => {
    ran = 0;
  });

  it('uses the grant up for the name and the arguments of the call, then runs the tool, then reports', async () => {
    const { al, seen, set, routes } = fakeSystem();
    set[consume] = () => {
      expect(ran).toBe(0);
      return { body: { status: 'consumed' } };
    };
    expect(await new ToolGate(al).run(call, tool)).toBe('ran 1');
    expect(routes()).toEqual([actions, 'GET /.well-known/jwks.json', consume, 'POST /api/v1/report']);
    expect(seen[0]?.body).toMatchObject({
      action_type: 'tool.refund',
      metadata: { tool: 'refund', arguments: { order: '17' } },
    });
    expect(seen[3]?.body).toMatchObject({ outcome: { status: 'success' } });
  });

  it('uses nothing up where a policy allows the call', async () => {
    const { al, set, executed, routes } = fakeSystem();
    set[actions] = async (submission) => {
      const { body } = (await executed(submission, { approval_id: null })) as { body: object };
      return { body: { ...body, approval_id: null } };
    };
    expect(await new ToolGate(al).run(call, tool)).toBe('ran 1');
    expect(routes()).not.toContain(consume);
  });

  it.each([
    [409, 'GRANT_CONSUMED', 'this call was cleared and used before'],
    [409, 'GRANT_EXPIRED', 'GRANT_EXPIRED'],
    [409, 'ACTION_MISMATCH', 'ACTION_MISMATCH'],
    [403, 'AGENT_SUSPENDED', 'AGENT_SUSPENDED'],
    [403, 'DELEGATION_SCOPE', 'DELEGATION_SCOPE'],
    [403, 'POLICY_DENIED', 'POLICY_DENIED'],
  ])('gives the model an answer when the grant is refused with %d %s', async (status, code, why) => {
    const { al, set, refused } = fakeSystem();
    set[consume] = () => refused(status, code);
    await expect(new ToolGate(al).run(call, tool)).rejects.toMatchObject({
      ...{ name: 'ToolCallRefused', code, message: `The tool was not run: ${why}` },
    });
    expect(ran).toBe(0);
  });

  it.each([
    ['the connection breaks while the grant is used up', consume, 'no connection', 'NETWORK_ERROR'],
    ['the engine is away while the grant is used up', consume, 503, 'UNAVAILABLE'],
    ['the key is revoked', actions, 401, 'UNAUTHENTICATED'],
    ['the system is away', actions, 'no connection', 'NETWORK_ERROR'],
    ['no keys can be had', 'GET /.well-known/jwks.json', 'no connection', 'NETWORK_ERROR'],
  ] as const)('gives the program an error when %s', async (_what, route, fault, code) => {
    const { al, set, refused } = fakeSystem();
    set[route] = () => (fault === 'no connection' ? fault : refused(fault, code));
    await expect(new ToolGate(al).run(call, tool)).rejects.toMatchObject({
      name: expect.not.stringMatching('Refused') as string,
      code,
    });
    expect(ran).toBe(0);
  });

  it.each([
    ['another action', { action_digest: 'x' }],
    ['another request', { approval_id: 'apr_2' }],
    ['a time that is over', { exp: 1 }],
  ])('runs nothing with a grant for %s', async (_what, claims) => {
    const { al, set, executed, routes } = fakeSystem();
    set[actions] = (submission) => executed(submission, claims);
    await expect(new ToolGate(al).run(call, tool)).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    expect({ ran, used: routes().includes(consume) }).toEqual({ ran: 0, used: false });
  });

  it('uses nothing up once the run was ended', async () => {
    const { al, set, executed, routes } = fakeSystem();
    const end = new AbortController();
    set[actions] = (submission) => {
      end.abort(new Error('ended'));
      return executed(submission);
    };
    set['POST /api/v1/approvals/apr_1/cancel'] = () => ({
      body: { status: 'approved', approval_id: 'apr_1' },
    });
    await expect(new ToolGate(al).run(call, tool, { signal: end.signal })).rejects.toThrow('ended');
    expect({ ran, used: routes().includes(consume) }).toEqual({ ran: 0, used: false });
  });

  it('reports how a tool failed, and lets its error through', async () => {
    const { al, seen } = fakeSystem();
    const fails = () => Promise.reject(new TypeError('no such order'));
    await expect(new ToolGate(al).run(call, fails)).rejects.toThrow('no such order');
    expect(seen.at(-1)?.body).toMatchObject({
      outcome: { status: 'failure', message: 'TypeError: no such order' },
    });
  });

  it('lets the result through when the report does not arrive', async () => {
    const { al, set } = fakeSystem();
    set['POST /api/v1/report'] = () => 'no connection';
    expect(await new ToolGate(al).run(call, tool)).toBe('ran 1');
  });

  it('asks for a call by its id and what that is unique in, whatever its arguments are', async () => {
    const { al, seen } = fakeSystem();
    const calls = [
      call,
      { ...call, arguments: { order: '18' } },
      { ...call, scope: 'thread 1' },
      { ...call, id: 'call_2' },
    ];
    for (const one of calls) await new ToolGate(al).run(one, tool);
    const ids = seen.flatMap(({ eventId }) => eventId ?? []);
    expect(ids[0]).toMatch(/^tool-call:[0-9a-f]{64}$/);
    expect(ids[1]).toBe(ids[0]);
    expect(new Set(ids).size).toBe(3);
  });

  it('pauses for what is pending or escalated, and for nothing else', async () => {
    const { al, set } = fakeSystem();
    const gate = new ToolGate(al, { pause: true });
    set[actions] = () => ({
      status: 202,
      body: {
        status: 'requested',
        verdict: 'pending_approval',
        approval_id: 'apr_1',
        audit_event_id: 'evt_1',
      },
    });
    const found: unknown[] = [];
    for (const status of ['pending', 'escalated', 'approved', 'denied', 'timed_out']) {
      set['GET /api/v1/approvals/apr_1/status'] = () => ({
        body: { status, approval_id: 'apr_1', timeout_at: '2026-01-01T00:30:00.000Z' },
      });
      found.push((await gate.waiting(call))?.approvalId);
    }
    expect(found).toEqual(['apr_1', 'apr_1', undefined, undefined, undefined]);
  });
});

describe('the tools of a framework', () => {
  it('are gated by name; the others are passed on as they are', async () => {
    const { al, seen } = fakeSystem();
    const execute = async (_input: object, _call: object): Promise<unknown> => 'ran';
    const given = { refund: { execute }, lookup: { execute }, client: {} };
    const { tools, toolApproval } = gateTools(al, given, {
      only: ['refund'],
      actionType: (tool) => `shop.${tool}`,
    });
    expect(tools.lookup).toBe(given.lookup);
    expect(Object.keys(toolApproval)).toEqual(['refund']);
    await tools.refund.execute({}, { toolCallId: 'c' });
    expect(seen[0]?.body).toMatchObject({ action_type: 'shop.refund' });
  });

  it('are refused where the gate cannot hold them', () => {
    const { al } = fakeSystem();
    expect(() => gateTools(al, { client: {} })).toThrow('The tool client has no execute function');
    expect(() => gateFunctionTools(al, [{ type: 'hosted_tool', name: 'web_search' }])).toThrow(
      'The tool web_search (hosted_tool) is no function tool',
    );
  });

  it('do not run without the id of their call', async () => {
    const { al, seen } = fakeSystem();
    let ran = 0;
    const refund = {
      ...{ type: 'function', name: 'refund', needsApproval: () => Promise.resolve(false) },
      invoke: () => Promise.resolve(++ran),
    };
    const [tool] = gateFunctionTools(al, [refund]).tools as unknown as [
      { invoke: (context: object, input: string, details?: object) => Promise<unknown> },
    ];
    await expect(tool.invoke({}, '{}', {})).rejects.toThrow('A call of refund has no id');
    expect(await tool.invoke({}, '{', { toolCall: { callId: 'c' } })).toBe(
      'The tool was not run: its arguments are not JSON',
    );
    expect({ ran, seen: seen.length }).toEqual({ ran: 0, seen: 0 });
  });
});
