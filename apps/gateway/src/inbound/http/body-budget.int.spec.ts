import { eventually } from '@agentlattice/testkit';
import type { FastifyError } from 'fastify';
import { BodyBudget } from './body-budget.js';
import { GatewayAdapter } from './gateway-adapter.js';
import { RequestBodies } from './request-bodies.js';

/** Room for two bodies such as this one: bodies without a workspace share a quarter of the budget. */
const body = JSON.stringify({ note: 'x'.repeat(1_000) });
const room = 2 * (3 * body.length + 80);

describe('bodies whose answers are held', () => {
  const adapter = new GatewayAdapter(new RequestBodies(new BodyBudget(4 * room)));
  const fastify = adapter.getInstance();
  let release: (() => void)[] = [];
  let url: string;
  beforeAll(async () => {
    adapter.registerParserMiddleware();
    fastify.post('/held', () => new Promise((resolve) => release.push(() => resolve({ ok: true }))));
    fastify.post('/at-once', () => ({ ok: true }));
    fastify.setErrorHandler<FastifyError>((error, _request, reply) =>
      reply.status(error.code === 'UNAVAILABLE' ? 503 : 400).send(error.message),
    );
    url = await fastify.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(() => {
    for (const go of release.splice(0)) go();
    release = [];
  });
  afterAll(() => fastify.close());

  const post = (path: string, sent = body, signal?: AbortSignal) =>
    fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: sent,
      ...(signal === undefined ? {} : { signal }),
    });
  const statusOf = async (path: string, sent = body) => (await post(path, sent)).status;

  it('must arrive within half a minute: Node takes the longer of these two times for the whole request', () => {
    const { requestTimeout, headersTimeout } = fastify.server;
    expect(Math.max(requestTimeout, headersTimeout)).toBe(30_000);
  });

  it('take room until they are answered; a request without room gets 503', async () => {
    const held = [post('/held'), post('/held')];
    await eventually(() => release.length === 2);
    expect(await statusOf('/at-once')).toBe(503);
    release.shift()?.();
    await Promise.race(held);
    expect(await eventually(async () => (await statusOf('/at-once')) === 200)).toBe(true);
    release.shift()?.();
    expect((await Promise.all(held)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('give their room back when the client disconnects', async () => {
    const gone = new AbortController();
    const held = [1, 2].map(() => post('/held', body, gone.signal).catch(() => 'gone'));
    await eventually(() => release.length === 2);
    expect(await statusOf('/at-once')).toBe(503);
    gone.abort();
    await Promise.all(held);
    expect(await eventually(async () => (await statusOf('/at-once')) === 200)).toBe(true);
  });

  it('give their memory back when they are not JSON or no route accepts them', async () => {
    for (let n = 0; n < 5; n++) {
      expect(await statusOf('/at-once', `${body}}`)).toBe(400);
      expect(await statusOf('/nowhere')).toBe(404);
    }
    expect(await eventually(async () => (await statusOf('/at-once')) === 200)).toBe(true);
  });
});
