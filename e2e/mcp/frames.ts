import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { eventually } from '@agentlattice/testkit';
import { postMcp, rawStdio } from '../kit/mcp.js';

/** Two gateways of one system, and keys. */
interface System {
  readonly baseUrl: string;
  readonly otherUrl: string;
  readonly operator: string | null;
  readonly agent: string | null;
}

/** What no client of an SDK sends: how the server takes it. */
export function frames(system: () => System): void {
  describe('over HTTP', () => {
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    const initialize = JSON.stringify({
      ...{ jsonrpc: '2.0', id: 1, method: 'initialize' },
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'c', version: '1' } },
    });
    const bearer = (key: string | null) => ({ authorization: `Bearer ${key ?? ''}` });
    const post = (body: string | undefined, headers: Record<string, string> = {}, method = 'POST') =>
      postMcp(system().baseUrl, {
        ...(body === undefined ? {} : { body }),
        method,
        headers: { ...bearer(system().operator), ...headers },
      });

    it.each<[string, number, string | undefined, Record<string, string>, string?]>([
      ['no key', 401, list, { authorization: '' }],
      ['a session of the dashboard', 401, list, { authorization: '', cookie: '__Host-al_session=x' }],
      ['an unknown key', 401, list, bearer('al_op_unknown')],
      ['no JSON', 400, '{', {}],
      ['no message', 400, '{"jsonrpc":"2.0"}', {}],
      ['no session', 400, list, {}],
      ['an invented session', 404, list, { 'mcp-session-id': `1.forms.${randomUUID()}.${'A'.repeat(43)}` }],
      ['another protocol version', 400, list, { 'mcp-protocol-version': '2026-07-28' }],
      ['a media type that is not accepted', 406, initialize, { accept: 'text/html' }],
      ['another media type', 415, initialize, { 'content-type': 'text/plain' }],
      ['a body that is too large', 413, JSON.stringify({ x: 'x'.repeat(300_000) }), {}],
      ['a page of another site', 403, initialize, { origin: 'https://evil.example' }],
      ['GET', 405, undefined, {}, 'GET'],
      ['DELETE', 405, undefined, {}, 'DELETE'],
    ])('refuses %s with %i', async (_, status, body, headers, method = 'POST') => {
      const answer = await post(body, headers, method);
      expect(answer).toMatchObject({ status, session: null });
    });

    it('refuses a host name that is not its own, as a page could bring about (DNS rebinding)', async () => {
      const statusFor = (host: string) =>
        new Promise((resolve, reject) => {
          const { hostname, port } = new URL(system().baseUrl);
          const sent = httpRequest({
            ...{ host: hostname, port, path: '/mcp', method: 'POST' },
            headers: {
              host,
              ...bearer(system().operator),
              'content-type': 'application/json',
              accept: 'application/json, text/event-stream',
            },
          });
          sent.once('response', (response) => {
            response.resume();
            resolve(response.statusCode);
          });
          sent.once('error', reject).end(initialize);
        });
      expect(await Promise.all(['evil.example', 'localhost:3000', '127.0.0.1'].map(statusFor))).toEqual([
        403, 200, 200,
      ]);
    });

    it('knows a session at every gateway, with its own key only', async () => {
      const { session } = await post(initialize);
      const headers = { 'mcp-session-id': session ?? '', ...bearer(system().operator) };
      expect(await post(list, headers)).toMatchObject({ status: 200 });
      expect(await postMcp(system().otherUrl, { body: list, headers })).toMatchObject({
        status: 200,
        text: expect.stringContaining('list_pending_approvals') as unknown,
      });
      expect(await post(list, { ...headers, ...bearer(system().agent) })).toMatchObject({ status: 404 });
    });

    it('answers what it does not know with an error of JSON-RPC', async () => {
      const { session } = await post(initialize);
      const send = (method: string, params: object) =>
        post(JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }), { 'mcp-session-id': session ?? '' });
      expect((await send('tools/call', { name: 'approve_forever' })).text).toContain('"code":-32602');
      expect((await send('resources/list', {})).text).toContain('"code":-32601');
      const ignored = JSON.stringify({ jsonrpc: '2.0', id: 'nobody-asked', result: { action: 'accept' } });
      expect(await post(ignored, { 'mcp-session-id': session ?? '' })).toMatchObject({
        status: 202,
        text: '',
      });
    });
  });

  describe('over stdio', () => {
    it('goes on after lines that are no messages, and ends with its input', async () => {
      const { child, ended, out, said } = rawStdio(system().baseUrl, system().operator ?? '');
      child.stdin.write('nonsense\n{"jsonrpc":"2.0"}\n{"jsonrpc":"2.0","id":5,"method":"ping"}\n');
      await eventually(() => out().includes('"id":5'), { within: 20_000 });
      child.stdin.end();
      expect(await ended).toBe(0);
      expect(out().trimEnd().split('\n')).toHaveLength(1);
      expect(said()).toContain('al mcp:');
    });

    it('ends at a message without an end', async () => {
      const { child, ended, said } = rawStdio(system().baseUrl, system().operator ?? '');
      child.stdin.write('x'.repeat(2 * 1024 * 1024));
      expect(await ended).not.toBeNull();
      expect(said()).toContain('exceeded maximum size');
    });

    it('says what is missing without a key', async () => {
      const { ended, said } = rawStdio(system().baseUrl, '');
      expect(await ended).toBe(3);
      expect(said()).toContain('AL_API_KEY');
    });
  });
}
