import fc from 'fast-check';
import { FakeStream, feedOn, tick, view } from '../../test/fake-event-stream.js';
import { LiveEventFeed } from './live-event-feed.js';
import type { FeedEntry, Listener } from './live-event-listeners.js';

const logger = { warn: () => {} } as never;

/** A listener that keeps the ids of the events it received, and the last cursor. */
class Recorder implements Listener {
  readonly received: string[] = [];
  resets = 0;
  last: string | undefined;
  readonly agentIds: ReadonlySet<string> | null;

  constructor(
    readonly orgId: string,
    agent?: string,
    readonly wantsActions = false,
  ) {
    this.agentIds = agent === undefined ? null : new Set([agent]);
  }

  deliver = ({ id, event }: FeedEntry) => {
    this.received.push(event.event_id);
    this.last = id;
  };
  whenWritable = () => Promise.resolve();
  reset = (id: string) => {
    this.resets += 1;
    this.last = id;
  };
}

const settled = async (feed: LiveEventFeed) => {
  feed.notice();
  for (let i = 0; i < 60; i++) await tick();
};

it('delivers events from now on, of the workspace alone, in order', async () => {
  const stream = new FakeStream();
  stream.publish('org_a', 'approval', 'before');
  const feed = feedOn(stream);
  const a = new Recorder('org_a');
  await feed.join(a, undefined);
  stream.publish('org_b', 'approval', 'foreign');
  stream.publish('org_a', 'approval', 'one', 'two');
  stream.publish('org_a', 'action', 'skipped');
  stream.publish('org_a', 'policy', 'three', 'inside');
  await settled(feed);
  expect(a.received).toEqual(['one', 'two', 'three']);
  expect(a.resets).toBe(0);
  await feed.stop();
});

it('delivers events of actions to listeners that want them, and reads them only then', async () => {
  const stream = new FakeStream();
  const followed: (readonly string[])[] = [];
  const feed = new LiveEventFeed({
    ...{ range: stream.range, read: stream.read, view, mayDeliver: () => Promise.resolve(true), logger },
    follow: (families) => followed.push(families),
  });
  const [plain, all] = [new Recorder('org_a'), new Recorder('org_a', undefined, true)];
  const leavePlain = await feed.join(plain, undefined);
  const leaveAll = await feed.join(all, undefined);
  stream.publish('org_a', 'action', 'act');
  stream.publish('org_a', 'approval', 'ask');
  await settled(feed);
  expect([plain.received, all.received]).toEqual([['ask'], ['act', 'ask']]);
  leaveAll();
  leavePlain();
  expect(followed.map((families) => [families.includes('approval'), families.includes('action')])).toEqual([
    [true, false],
    [true, true],
    [true, false],
    [false, false],
  ]);
  await feed.stop();
});

it('delivers to an agent its own events alone', async () => {
  const stream = new FakeStream();
  const feed = feedOn(stream);
  const agent = new Recorder('org_a', 'agt_1');
  await feed.join(agent, undefined);
  stream.publish('org_a', 'approval', 'mine@agt_1', 'yours@agt_2', 'nobody');
  await settled(feed);
  expect(agent.received).toEqual(['mine@agt_1']);
  await feed.stop();
});

it('goes on in the middle of a message', async () => {
  const stream = new FakeStream();
  const feed = feedOn(stream);
  const first = new Recorder('org_a');
  const leave = await feed.join(first, undefined);
  stream.publish('org_a', 'approval', 'one', 'two', 'three');
  const seen: string[] = [];
  first.deliver = ({ id, event }) => {
    seen.push(event.event_id);
    if (event.event_id === 'two') first.last = id;
  };
  await settled(feed);
  leave();
  const again = new Recorder('org_a');
  await feed.join(again, first.last);
  expect(again.received).toEqual(['three']);
  await feed.stop();
});

it.each([
  ['malformed', 'nonsense'],
  ['of another stream', 'life0.1024'],
  ['from the future', 'life1.99999999'],
  ['older than what is kept', 'life1.1024'],
])('begins with a reset after an id that is %s', async (_what, id) => {
  const stream = new FakeStream();
  for (let i = 0; i < 6; i++) stream.publish('org_a', 'approval', `old${String(i)}`);
  stream.firstSequence = 4;
  const feed = feedOn(stream);
  const one = new Recorder('org_a');
  await feed.join(one, id);
  expect(one).toMatchObject({ received: [], resets: 1 });
  stream.publish('org_a', 'approval', 'new');
  await settled(feed);
  expect(one.received).toEqual(['new']);
  await feed.stop();
});

it('lets connections write between the pieces of many events, and waits for a client that catches up', async () => {
  const stream = new FakeStream(256);
  const feed = feedOn(stream);
  const publish = (name: string) => {
    for (let i = 0; i < 20; i++) stream.publish('org_a', 'approval', ...Array<string>(100).fill(name));
  };
  publish('missed');
  const [early, late] = [new Recorder('org_a'), new Recorder('org_a')];
  await feed.join(early, undefined);

  let go = () => {};
  late.whenWritable = () => new Promise((resolve) => (go = resolve));
  const joining = feed.join(late, 'life1.1023');
  for (let i = 0; i < 60; i++) await tick();
  expect(late.received).toHaveLength(250);

  publish('new');
  feed.notice();
  let most = 0;
  for (let i = 0, before = 0; i < 60; i++) {
    await tick();
    most = Math.max(most, early.received.length - before);
    before = early.received.length;
  }
  expect(early.received).toEqual(Array<string>(2_000).fill('new'));
  expect(most).toBeLessThanOrEqual(350);
  expect(late.received).toHaveLength(250);

  late.whenWritable = () => Promise.resolve();
  go();
  await joining;
  expect(late.received).toEqual([
    ...Array<string>(2_000).fill('missed'),
    ...Array<string>(2_000).fill('new'),
  ]);
  await feed.stop();
});

it('sends no missed events while the keys cannot be checked', async () => {
  const stream = new FakeStream();
  stream.publish('org_a', 'approval', 'one');
  const one = new Recorder('org_a');
  const feed = feedOn(stream, () => Promise.resolve(false));
  await expect(feed.join(one, 'life1.1023')).rejects.toThrow('cannot be checked');
  expect([one.received, feed.listeners]).toEqual([[], 0]);
  await feed.stop();
});

it('resets every listener when the stream was lost', async () => {
  const stream = new FakeStream();
  stream.publish('org_a', 'approval', 'old');
  const feed = feedOn(stream);
  const [early, late] = [new Recorder('org_a'), new Recorder('org_a')];
  await feed.join(early, undefined);
  stream.wipe();
  await feed.join(late, undefined);
  expect(early.resets).toBe(1);
  stream.publish('org_a', 'approval', 'new');
  await settled(feed);
  expect([early.received, late.received]).toEqual([['new'], ['new']]);
  await feed.stop();
});

it('delivers nothing while the keys of listeners cannot be checked, and everything afterwards', async () => {
  const stream = new FakeStream();
  let known = false;
  const feed = feedOn(stream, () => Promise.resolve(known));
  const one = new Recorder('org_a');
  await feed.join(one, undefined);
  stream.publish('org_a', 'approval', 'one');
  await settled(feed);
  expect(one.received).toEqual([]);
  known = true;
  await settled(feed);
  expect(one.received).toEqual(['one']);
  await feed.stop();
});

it('loses and repeats nothing, however listeners join, leave and come back', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          {
            weight: 5,
            arbitrary: fc.record({
              kind: fc.constant('publish'),
              family: fc.constantFrom('approval', 'policy', 'action'),
              org: fc.constantFrom('org_a', 'org_b'),
              count: fc.integer({ min: 1, max: 4 }),
            }),
          },
          {
            weight: 2,
            arbitrary: fc.record({ kind: fc.constant('leave'), who: fc.integer({ min: 0, max: 2 }) }),
          },
          {
            weight: 3,
            arbitrary: fc.record({ kind: fc.constant('join'), who: fc.integer({ min: 0, max: 2 }) }),
          },
          { weight: 2, arbitrary: fc.record({ kind: fc.constant('notice') }) },
          { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn') }) },
        ),
        { maxLength: 60 },
      ),
      async (steps) => {
        const stream = new FakeStream();
        const feed = feedOn(stream);
        const people = [new Recorder('org_a'), new Recorder('org_a'), new Recorder('org_a')];
        const leaves: (undefined | Promise<() => void>)[] = [];
        // Every listener begins at the beginning of the stream.
        for (const one of people) one.last = 'life1.1023';
        const published: string[] = [];
        for (const step of steps) {
          if (step.kind === 'publish' && 'family' in step) {
            const names = Array.from(
              { length: step.count },
              (_, i) => `${String(published.length)}.${String(i)}`,
            );
            stream.publish(step.org, step.family, ...names);
            published.push(
              ...(step.org === 'org_a' && step.family !== 'action' ? names : names.map(() => '')),
            );
          } else if (step.kind === 'leave' && 'who' in step) {
            const leaving = leaves[step.who];
            leaves[step.who] = undefined;
            if (leaving !== undefined) (await leaving)();
          } else if (step.kind === 'join' && 'who' in step) {
            const one = people[step.who];
            if (leaves[step.who] === undefined && one !== undefined)
              leaves[step.who] = feed.join(one, one.last);
          } else if (step.kind === 'notice') feed.notice();
          else await tick();
        }
        for (const [i, one] of people.entries()) leaves[i] ??= feed.join(one, one.last);
        await Promise.all(leaves);
        await settled(feed);
        await settled(feed);
        const wanted = published.filter((name) => name !== '');
        for (const one of people) expect(one).toMatchObject({ received: wanted, resets: 0 });
        await feed.stop();
      },
    ),
    { numRuns: 300 },
  ));
