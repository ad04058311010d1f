import { routes } from '@agentlattice/contracts';
import type { Principal } from '../../domain/principal.js';
import { type Connection, LiveEventStreams, streamLimits } from './live-event-streams.js';

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
