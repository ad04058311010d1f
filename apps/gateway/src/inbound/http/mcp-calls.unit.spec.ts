import { type McpMessage, Unavailable } from '@agentlattice/contracts';
import { createLogger } from '@agentlattice/observability';
import { eventually } from '@agentlattice/testkit';
import type { Principal } from '../../domain/principal.js';
import { type McpCall, McpCalls } from './mcp-calls.js';

const agent = (orgId: string): Principal => ({
  ...{ kind: 'agent', orgId, keyId: 'key_1', name: 'bot', expiresAt: null, resumedAt: null },
  ...{ madeBy: null, shownTo: [], own: false },
  agent: { id: 'agt_1', name: 'bot', suspended: false, owner_member_id: null, delegation: null },
});
const operator = (orgId: string): Principal => ({
  ...{ kind: 'operator', orgId, keyId: 'key_2', name: 'Ada', expiresAt: null },
  ...{ madeBy: null, shownTo: [], own: true, role: 'member', instanceAdmin: false },
  ...{ memberId: 'mbr_1', personId: 'per_1' },
});
const answer: McpMessage['message'] = { jsonrpc: '2.0', id: 'q1', result: {} };

describe('the MCP calls of a gateway', () => {
  const valid = new Map<string, Principal>();
  const sent: McpMessage[] = [];
  let calls: McpCalls;

  beforeEach(() => {
    valid.clear();
    sent.length = 0;
    calls = new McpCalls({
      directory: { findByHash: (hash) => Promise.resolve(valid.get(hash)) },
      send: (message) => sent.push(message),
      logger: createLogger('gateway', 'silent'),
    });
  });
  afterEach(() => calls.stop());

  function open(owner: string, { orgId = 'org_1', takes = 'q1', who = agent } = {}) {
    const seen = { received: [] as unknown[], ended: [] as string[] };
    valid.set(owner, who(orgId));
    const call: McpCall = {
      ...{ owner, keyHash: owner, principal: who(orgId) },
      receive: (message) => message['id'] === takes && seen.received.push(message) > 0,
      end: (why) => seen.ended.push(why),
    };
    return { ...seen, leave: calls.add(call) };
  }

  it('take what belongs to them, and pass on the rest', () => {
    const mine = open('me');
    calls.pass({ owner: 'me', message: answer });
    expect(mine.received).toEqual([answer]);
    calls.pass({ owner: 'me', message: { ...answer, id: 'q2' } });
    expect(sent).toEqual([{ owner: 'me', message: { ...answer, id: 'q2' } }]);
  });

  it('take nothing of another owner, nor after they have ended', () => {
    const mine = open('me');
    expect(calls.deliver({ owner: 'them', message: answer })).toBe(false);
    mine.leave();
    expect(calls.deliver({ owner: 'me', message: answer })).toBe(false);
    expect(mine.received).toEqual([]);
  });

  it('end when their key is revoked, and no others', async () => {
    const [mine, theirs] = [open('me'), open('them')];
    valid.delete('me');
    await eventually(() => mine.ended.length > 0);
    expect(mine.ended[0]).toContain('revoked');
    expect(theirs.ended).toEqual([]);
  });

  it('are bounded for each workspace, and others are not affected', () => {
    for (let n = 0; n < 160; n++) open(`call ${String(n)}`);
    expect(() => open('one more')).toThrow(Unavailable);
    // What agents may not take is left for people, who decide.
    for (let n = 0; n < 40; n++) open(`person ${String(n)}`, { who: operator });
    expect(() => open('one person more', { who: operator })).toThrow(Unavailable);
    expect(open('elsewhere', { orgId: 'org_2' }).ended).toEqual([]);
  });

  it('end when the gateway stops, which takes no more', () => {
    const mine = open('me');
    calls.stop();
    expect(mine.ended).toEqual([expect.stringContaining('stopped')]);
    expect(() => open('late')).toThrow(Unavailable);
  });
});
