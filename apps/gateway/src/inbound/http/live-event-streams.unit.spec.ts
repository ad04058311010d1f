import { EventEmitter } from 'node:events';
import { routes } from '@agentlattice/contracts';
import { jest } from '@jest/globals';
import type { Principal } from '../../domain/principal.js';
import type { FeedEntry } from '../../application/live-event-listeners.js';
import type { GatewayReply } from './http-request.js';
import { type Connection, eventStreamOn, LiveEventStreams, streamLimits } from './live-event-streams.js';

const logger = { warn: () => {} } as never;
const operator = (orgId: string, role: 'viewer' | 'member' = 'viewer') =>
  ({ kind: 'operator', orgId, role, expiresAt: null }) as Principal;

/** What is known of keys, by their hash. */
class FakeDirectory {
  readonly keys = new Map<string, Principal>();
  generationSeen = 1;
  fresh = true;
  isFresh = () => this.fresh;
  becomesFresh = () => Promise.resolve(this.fresh);
  now = () => 0;
  findByHash = (hash: string) => Promise.resolve(this.keys.get(hash));
}

function setUp() {
  const directory = new FakeDirectory();
  const left: string[] = [];
  const feed = {
    cursor: 'life.1',
    join: ({ orgId }: { orgId: string }) => Promise.resolve(() => left.push(orgId)),
  };
  const streams = new LiveEventStreams({ feed: feed as never, directory, logger });
  const listen = async (hash: string, principal: Principal) => {
    const ends: string[] = [];
    directory.keys.set(hash, principal);
    const connection: Connection = {
      send: () => {},
      whenWritable: () => Promise.resolve(),
      reset: () => {},
      heartbeat: () => {},
      end: (why) => ends.push(why),
    };
    const leave = await streams.listen({ route: routes.liveEvents, keyHash: hash, principal }, connection, {
      lastEventId: undefined,
      types: null,
    });
    return { ends, leave };
  };
  return { directory, streams, listen, left };
}

it('lets a workspace have its share of listeners, and others theirs', async () => {
  const { streams, listen } = setUp();
  const all = await Promise.all(
    Array.from({ length: streamLimits.perWorkspace }, (_, i) => listen(`a${String(i)}`, operator('org_a'))),
  );
  await expect(listen('one too many', operator('org_a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await listen('b', operator('org_b'));
  all[0]?.leave();
  await listen('in its place', operator('org_a'));
  expect(streams.count).toBe(streamLimits.perWorkspace + 1);
  streams.stop();
});

it('tells nothing before it has looked at the keys after a change, and ends those that are worth nothing', async () => {
  const { directory, streams, listen } = setUp();
  const [revoked, kept] = [await listen('a', operator('org_a')), await listen('b', operator('org_a'))];
  expect(await streams.mayDeliver()).toBe(true);
  directory.keys.delete('a');
  directory.generationSeen = 2;
  expect(await streams.mayDeliver()).toBe(true);
  expect([revoked.ends, kept.ends]).toEqual([['revoked'], []]);
  streams.stop();
});

it('ends a listener whose key stands for somebody else by now', async () => {
  const { directory, streams, listen } = setUp();
  const { ends } = await listen('a', operator('org_a'));
  directory.keys.set('a', operator('org_b'));
  directory.generationSeen = 2;
  await streams.mayDeliver();
  expect(ends).toEqual(['revoked']);
  streams.stop();
});

it('tells nothing while the keys may be out of date', async () => {
  const { directory, streams, listen } = setUp();
  await listen('a', operator('org_a'));
  directory.fresh = false;
  expect(await streams.mayDeliver()).toBe(false);
  directory.fresh = true;
  expect(await streams.mayDeliver()).toBe(true);
  streams.stop();
});

it('ends all when it is stopped, and lets nobody in any more', async () => {
  const { streams, listen } = setUp();
  const { ends } = await listen('a', operator('org_a'));
  streams.stop();
  expect(ends).toEqual(['stopping']);
  await expect(listen('b', operator('org_a'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

describe('a stream of server-sent events', () => {
  const entry = (id: string): FeedEntry => ({
    id,
    sequence: Number(id.split('.')[1]),
    event: {
      ...{ event_id: 'evt_1', type: 'approval.requested', org_id: 'org_a', time: '', actor: null },
      ...{ agent_id: null, data: { text: 'x'.repeat(60_000) } },
    },
    forms: new Map(),
  });
  /** The raw answer, whose client reads nothing. */
  const unread = () => {
    const state = { writableLength: 0, writableEnded: false, destroyed: false, frames: [] as string[] };
    const raw = Object.assign(new EventEmitter(), state);
    const acts = {
      write: (frame: string) => {
        raw.frames.push(frame);
        raw.writableLength += frame.length;
      },
      destroy: () => (raw.destroyed = true),
      end: () => (raw.writableEnded = true),
    };
    const answer = Object.assign(raw, acts);
    return { answer, stream: eventStreamOn({ raw: answer } as unknown as GatewayReply) };
  };

  it('closes the connection of a client that leaves more than a mebibyte unread, and writes nothing after that', () => {
    const { answer, stream } = unread();
    for (let i = 0; i < 17; i++) stream.send(entry(`life.${String(i)}`));
    expect(answer.destroyed).toBe(false);
    stream.send(entry('life.17'));
    expect(answer.destroyed).toBe(true);
    stream.send(entry('life.18'));
    expect(answer.frames).toHaveLength(18);
  });

  it('takes more missed events while little is unread, else when the client has read or is gone', async () => {
    const { answer, stream } = unread();
    stream.send(entry('life.1'));
    await stream.whenWritable();
    for (let i = 2; i < 7; i++) stream.send(entry(`life.${String(i)}`));
    for (const sign of ['drain', 'close']) {
      let isWritable = false;
      const waiting = stream.whenWritable().then(() => (isWritable = true));
      await new Promise((resolve) => setImmediate(resolve));
      expect(isWritable).toBe(false);
      answer.emit(sign);
      await waiting;
      expect(answer.eventNames()).toEqual([]);
    }
  });

  it('closes the connection of a client that reads nothing of its missed events', () => {
    jest.useFakeTimers();
    const { answer, stream } = unread();
    for (let i = 1; i < 7; i++) stream.send(entry(`life.${String(i)}`));
    void stream.whenWritable();
    jest.advanceTimersByTime(10_000);
    jest.useRealTimers();
    expect(answer.destroyed).toBe(true);
  });

  it('serialises an event once for all listeners', () => {
    const [one, other] = [unread(), unread()];
    const shared = entry('life.1');
    one.stream.send(shared);
    expect(shared.forms.get('sse')).toBe(one.answer.frames[0]);
    shared.forms.set('sse', 'kept');
    other.stream.send(shared);
    expect(other.answer.frames).toEqual(['kept']);
  });

  it('says when to come back only where the gateway stops', () => {
    const [revoked, stopping] = [unread(), unread()];
    revoked.stream.end('revoked');
    stopping.stream.end('stopping');
    expect(revoked.answer.frames).toEqual([]);
    expect(stopping.answer.frames[0]).toMatch(/^retry: \d+\n\n$/);
  });
});
