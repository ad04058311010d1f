import { get, type IncomingMessage } from 'node:http';
import { eventually } from '@agentlattice/testkit';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import fastify, { type FastifyInstance } from 'fastify';
import { FakeStream, feedOn } from '../../../test/fake-event-stream.js';
import type { Principal } from '../../domain/principal.js';
import type { GatewayRequest } from './http-request.js';
import { addLiveEventRoutes } from './live-event.routes.js';
import { LiveEventStreams } from './live-event-streams.js';

const viewer = { kind: 'operator', orgId: 'org_a', role: 'viewer', expiresAt: null } as Principal;
const directory = {
  generationSeen: 1,
  isFresh: () => true,
  becomesFresh: () => Promise.resolve(true),
  now: () => 0,
  findByHash: () => Promise.resolve(viewer),
};
/** Longer than the limit for bytes that a client has not read. */
const missed = 18_000;

describe('the stream of live events over a real connection', () => {
  const stream = new FakeStream(256);
  const server: FastifyInstance = fastify();
  const feed = feedOn(stream, () => streams.mayDeliver());
  const streams: LiveEventStreams = new LiveEventStreams({
    feed,
    directory,
    logger: { warn: () => {} } as never,
  });
  let address: string;

  beforeAll(async () => {
    const app = {
      getHttpAdapter: () => ({ getInstance: () => server }),
    } as unknown as NestFastifyApplication;
    addLiveEventRoutes(app, {
      streams,
      admission: {
        admit: (_route: unknown, request: GatewayRequest) => {
          request.keyHash = 'hash';
          return Promise.resolve(viewer);
        },
      } as never,
      problems: {} as never,
    });
    for (let i = 0; i < missed; i += 100)
      stream.publish('org_a', 'approval', ...Array.from({ length: 100 }, (_, k) => `event-${String(i + k)}`));
    address = await server.listen({ port: 0 });
  });
  afterAll(async () => {
    streams.stop();
    await feed.stop();
    await server.close();
  });

  const open = (lastEventId: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(`${address}/api/v1/events`, { headers: { 'last-event-id': lastEventId } }, resolve).on(
        'error',
        reject,
      );
    });
  const idsIn = (text: string) => [...text.matchAll(/"event_id":"event-(\d+)"/g)].map(([, i]) => Number(i));

  it('sends many missed events, of several mebibytes, to a client that reads them', async () => {
    const answer = await open('life1.1023');
    let text = '';
    answer.setEncoding('utf8').on('data', (part: string) => (text += part));
    await eventually(() => text.includes('event: heartbeat'), { within: 20_000 });
    expect(text.length).toBeGreaterThan(2 * 1024 * 1024);
    expect(idsIn(text)).toEqual(Array.from({ length: missed }, (_, i) => i));
    answer.destroy();
    await eventually(() => streams.count === 0);
  });
});
