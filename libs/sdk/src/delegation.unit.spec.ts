import { AgentLattice } from './agent-lattice.js';

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

/** A system that makes delegations. Ending one fails as often as `failures` says. */
function systemThat({ failures = 0 } = {}) {
  const sent: Sent[] = [];
  let made = 0;
  let left = failures;
  const fetch = (input: string | URL | Request, init: RequestInit = {}) => {
    const { method = 'GET' } = init;
    const path = new URL(input instanceof Request ? input.url : input).pathname;
    sent.push({ method, path, headers: new Headers(init.headers) });
    if (method === 'DELETE' && left-- > 0) return Promise.reject(new TypeError('fetch failed'));
    const delegation = { delegation_id: `del_${String(++made)}`, child_api_key: 'al_agent_child' };
    return Promise.resolve(Response.json(method === 'DELETE' ? { revoked: true } : delegation));
  };
  const al = new AgentLattice({
    ...{ apiKey: 'al_agent_parent', baseUrl: 'http://system.test', retryForMs: 0, fetch },
    headers: { 'x-proxy-token': 'secret of the proxy' },
  });
  const ended = () => sent.filter(({ method }) => method === 'DELETE').map(({ path }) => path);
  return { al, sent, ended };
}

const options = { capabilities: ['db.read'], ttlSeconds: 60 };

describe('a delegation of the SDK', () => {
  it('gives the child the headers that the program sends with every request', async () => {
    const { al, sent } = systemThat();
    await al.delegate('child', options, (child) => child.whoami());
    const { headers } = sent.find(({ path }) => path === '/api/v1/whoami') as Sent;
    expect(headers.get('x-proxy-token')).toBe('secret of the proxy');
    expect(headers.get('x-al-delegation-id')).toBe('del_1');
    expect(headers.get('authorization')).toBe('Bearer al_agent_child');
  });

  it('throws the error of the program, also when ending fails', async () => {
    const { al, ended } = systemThat({ failures: 9 });
    const failing = () => Promise.reject(new Error('of the program'));
    await expect(al.delegate('child', options, failing)).rejects.toThrow('of the program');
    const two = [
      { name: 'a', ...options },
      { name: 'b', ...options },
    ];
    await expect(al.parallel(two, failing)).rejects.toThrow('of the program');
    expect(ended()).toHaveLength(3);
    await expect(al.parallel(two, () => Promise.resolve())).rejects.toThrow('cannot be reached');
    expect(ended()).toHaveLength(5);
  });

  it('can be ended again when ending failed, and only then', async () => {
    const { al, ended } = systemThat({ failures: 1 });
    const delegation = await al.delegate('child', options);
    await expect(delegation.end()).rejects.toThrow('cannot be reached');
    await delegation.end();
    await delegation.end();
    expect(ended()).toEqual(['/api/v1/delegate/del_1', '/api/v1/delegate/del_1']);
  });
});
