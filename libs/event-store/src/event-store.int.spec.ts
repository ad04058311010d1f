import { makeEventDataReader, upcast } from '@agentlattice/contracts';
import { assertNever, type Decider, Refused } from '@agentlattice/decider';
import { startPostgres, testPool, type TestPostgres } from '@agentlattice/testkit';
import pg from 'pg';
import { z } from 'zod';
import {
  appendEvents,
  EventStore,
  eventStoreMigration,
  inTransaction,
  type NewEvent,
  type Tx,
  VersionConflict,
} from './index.js';

const org = 'org_01jd7e5sqcfnmrq9yh4qvxw2k3';
const meta = { actor: null, correlation_id: 'c1', traceparent: null };

type Command = { type: 'open'; at: Date } | { type: 'decide'; by: string; at: Date };
type Event =
  | { type: 'approval.opened'; data: { at: string; by: string | null } }
  | { type: 'approval.approved'; data: { by: string } };
type State = { status: 'none' | 'pending' } | { status: 'decided'; by: string };

const openedV1 = z.strictObject({ at: z.string() });
const openedV2 = z.strictObject({ at: z.string(), by: z.string().nullable() });
/** Events of a type in two versions. */
const types = makeEventDataReader({
  'approval.opened': {
    owner: 'approval-service',
    versions: { 1: openedV1, 2: openedV2 },
    upcasts: { 1: upcast(openedV1, (data) => ({ ...data, by: null })) },
  },
  'approval.approved': {
    owner: 'approval-service',
    versions: { 1: z.strictObject({ by: z.string() }) },
  },
});

const decider: Decider<State, Command, Event> = {
  initialState: () => ({ status: 'none' }),
  decide(command, state) {
    switch (command.type) {
      case 'open':
        return state.status === 'none'
          ? [{ type: 'approval.opened', data: { at: command.at.toISOString(), by: 'ada' } }]
          : [];
      case 'decide':
        if (state.status === 'decided')
          throw new Refused('APPROVAL_ALREADY_DECIDED', state.by, { extra: { by: state.by } });
        if (state.status === 'none') throw new Refused('NOT_FOUND', 'no such request');
        return [{ type: 'approval.approved', data: { by: command.by } }];
      default:
        return assertNever(command);
    }
  },
  evolve(_state, event) {
    switch (event.type) {
      case 'approval.opened':
        return { status: 'pending' };
      case 'approval.approved':
        return { status: 'decided', by: event.data.by };
      default:
        return assertNever(event);
    }
  },
};

describe('the event store', () => {
  let postgres: TestPostgres;
  let pool: pg.Pool;
  let store: EventStore;
  const update = (streamId: string, command: (now: Date) => Command) =>
    store.update({ decider, orgId: org, streamId, command, meta });
  const open = (streamId: string) => update(streamId, (at) => ({ type: 'open', at }));
  const newEvent = (streamId: string, version: number): NewEvent => ({
    org_id: org,
    stream_id: streamId,
    version,
    type: 'approval.approved',
    data: { by: 'outsider' },
    meta,
    occurred_at: new Date(),
  });

  beforeAll(async () => {
    postgres = await startPostgres({
      migrations: { 'approval-service': [eventStoreMigration('approval-service', 1_700_000_000_000)] },
    });
    pool = testPool({
      connectionString: postgres.databaseUrl('approval-service'),
      max: 20,
      pipeline: true,
    });
    store = new EventStore(pool, types);
  });
  afterAll(async () => {
    await pool.end();
    await postgres.stop();
  });

  it('appends what was decided and folds it back', async () => {
    const { state, events, version } = await open('s1');
    expect({ state, version }).toEqual({ state: { status: 'pending' }, version: 1 });
    expect(events).toMatchObject([{ type: 'approval.opened', version: 1, schema_version: 2, meta }]);
    expect(events[0]?.event_id).toMatch(/^evt_[0-9a-z]{26}$/);
    expect(await store.load(org, 's1')).toEqual(events);
    expect(await open('s1')).toMatchObject({ events: [], version: 1 });
  });

  it('brings an event of an older version to the newest before it is folded or returned', async () => {
    const at = new Date().toISOString();
    const old = { ...newEvent('old', 1), type: 'approval.opened', data: { at }, schema_version: 1 };
    await inTransaction(pool, (tx) => appendEvents(tx, [old]));
    expect(await store.load(org, 'old')).toMatchObject([{ schema_version: 2, data: { at, by: null } }]);
    const { outcomes } = await store.decideEach({
      decider,
      streams: [{ orgId: org, streamId: 'old', meta }],
      reads: [],
      command: (now): Command => ({ type: 'decide', by: 'ada', at: now }),
      along: () => [],
    });
    expect(outcomes[0]?.history).toMatchObject([{ schema_version: 2, data: { at, by: null } }]);
    expect(await store.load(org, 'old')).toHaveLength(2);
  });

  it.each([
    [
      'an unknown type',
      { type: 'approval.opened_twice', schema_version: 1 },
      'the event type approval.opened_twice is unknown',
    ],
    ['an unknown version', { schema_version: 7 }, 'approval.approved has no version 7'],
    [
      'data of another form',
      { schema_version: 1, data: { by: 7 } },
      'approval.approved version 1 has another form',
    ],
    ['meta of another form', { schema_version: 1, meta: { actor: 'ada' } }, 'its meta has another form'],
  ])('refuses to decide over %s, and names the event', async (what, changes, why) => {
    const streamId = `unreadable: ${what}`;
    const event = Object.assign(newEvent(streamId, 1), changes) as NewEvent;
    await inTransaction(pool, (tx) => appendEvents(tx, [event]));
    const place = `event 1 of ${streamId} in ${org} cannot be read: ${why}`;
    await expect(store.load(org, streamId)).rejects.toThrow(place);
    await expect(open(streamId)).rejects.toThrow(place);
    expect((await pool.query('SELECT FROM event WHERE stream_id = $1', [streamId])).rowCount).toBe(1);
  });

  it('lets one of 50 deciders win and refuses the others with the standing decision', async () => {
    await open('race');
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) =>
        update('race', (at) => ({ type: 'decide', by: `p${String(n)}`, at })),
      ),
    );
    const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled');
    expect(winners).toHaveLength(1);
    const [, decision] = await store.load(org, 'race');
    const losers = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of losers)
      expect(reason).toMatchObject({ code: 'APPROVAL_ALREADY_DECIDED', extra: decision?.data });
  });

  it('resolves a race by the unique version where a writer takes no lock; the loser reloads', async () => {
    await open('bare');
    const bare = await Promise.allSettled(
      Array.from({ length: 16 }, () => inTransaction(pool, (tx) => appendEvents(tx, [newEvent('bare', 2)]))),
    );
    expect(bare.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const outcome of bare)
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(VersionConflict);

    await open('mixed');
    let interfered = false;
    const late = store.update({
      decider,
      orgId: org,
      streamId: 'mixed',
      command: (at: Date): Command => ({ type: 'decide', by: 'slow', at }),
      meta,
      project: async () => {
        interfered = true;
        return Promise.resolve();
      },
    });
    const early = inTransaction(pool, (tx) => appendEvents(tx, [newEvent('mixed', 2)]));
    const [a, b] = await Promise.allSettled([late, early]);
    expect([a.status, b.status].filter((status) => status === 'fulfilled')).toHaveLength(1);
    if (a.status === 'rejected') expect(a.reason).toMatchObject({ code: 'APPROVAL_ALREADY_DECIDED' });
    expect(interfered || a.status === 'rejected').toBe(true);
    expect(await store.load(org, 'mixed')).toHaveLength(2);
  });

  it('rolls the event back with its read model', async () => {
    const failing = store.update({
      decider,
      orgId: org,
      streamId: 'rolled-back',
      command: (at: Date): Command => ({ type: 'open', at }),
      meta,
      project: () => Promise.reject(new Error('the read model says no')),
    });
    await expect(failing).rejects.toThrow('the read model says no');
    expect(await store.load(org, 'rolled-back')).toEqual([]);
  });

  it('decides over many streams in one commit, each once, while others decide over them', async () => {
    const streamIds = Array.from({ length: 40 }, (_, i) => `many-${String(i)}`);
    for (const streamId of streamIds) await open(streamId);
    const decideAll = (by: string, ids: string[]) =>
      store.updateMany({
        decider: {
          ...decider,
          decide: (command: Command, state: State) =>
            state.status === 'pending' ? decider.decide(command, state) : [],
        },
        streams: ids.map((streamId) => ({ orgId: org, streamId, meta })),
        command: (at): Command => ({ type: 'decide', by, at }),
      });
    const outcomes = await Promise.all([
      decideAll('a', streamIds),
      decideAll('b', [...streamIds].reverse()),
      decideAll('c', streamIds.slice(10, 30)),
    ]);
    expect(outcomes.flatMap(({ events }) => events)).toHaveLength(40);
    for (const { states } of outcomes) expect(states.every(({ status }) => status === 'decided')).toBe(true);
    for (const streamId of streamIds) expect(await store.load(org, streamId)).toHaveLength(2);
  });

  it('gives each stream its own command, and commits all or none with the caller’s transaction', async () => {
    const streams = ['ada', 'bob'].map((by) => ({ orgId: org, streamId: `own-${by}`, meta, by }));
    for (const { streamId } of streams) await open(streamId);
    const decideIn = (tx: Tx) =>
      store.updateMany({
        tx,
        decider,
        streams,
        command: (at, { by }): Command => ({ type: 'decide', by, at }),
      });
    const givenUp = inTransaction(pool, async (tx) => {
      expect((await decideIn(tx)).events).toHaveLength(2);
      throw new Error('given up');
    });
    await expect(givenUp).rejects.toThrow('given up');
    const { events } = await inTransaction(pool, decideIn);
    expect(events.map(({ stream_id, data }) => [stream_id, data])).toEqual(
      streams.map(({ streamId, by }) => [streamId, expect.objectContaining({ by })]),
    );
  });

  it('decides each of several commands by itself, in order, and reads additional rows', async () => {
    for (const streamId of ['each-1', 'each-2']) await open(streamId);
    const { outcomes, answers } = await store.decideEach({
      decider,
      streams: [
        { orgId: org, streamId: 'each-1', meta, by: 'ada' },
        { orgId: org, streamId: 'each-0', meta, by: 'ada' },
        { orgId: org, streamId: 'each-1', meta, by: 'bob' },
        { orgId: org, streamId: 'each-2', meta, by: 'bob' },
      ],
      reads: [{ text: 'SELECT $1::text AS suffix', values: ['!'] }],
      command: (at, { by }, [suffix]): Command => ({
        type: 'decide',
        by: by + String((suffix?.rows[0] as { suffix: string } | undefined)?.suffix),
        at,
      }),
      along: (decided) => [
        {
          text: 'SELECT count(*)::int AS events FROM event WHERE stream_id = ANY ($1)',
          values: [decided.map(({ stream }) => stream.streamId)],
        },
      ],
    });
    expect(outcomes.map(({ state, refused }) => [state, refused?.code ?? null])).toEqual([
      [{ status: 'decided', by: 'ada!' }, null],
      [{ status: 'none' }, 'NOT_FOUND'],
      [{ status: 'decided', by: 'ada!' }, 'APPROVAL_ALREADY_DECIDED'],
      [{ status: 'decided', by: 'bob!' }, null],
    ]);
    expect(answers.map(({ rows }) => rows as unknown[])).toEqual([[{ events: 4 }]]);
    expect(await store.load(org, 'each-1')).toMatchObject([{ version: 1 }, outcomes[0]?.events[0]]);
  });

  it('does not take a rolled back transaction for a committed one', async () => {
    const swallowed = inTransaction(pool, async (tx) => {
      await appendEvents(tx, [newEvent('swallowed', 1)]);
      await tx.query('SELECT 1 / 0').catch(() => {});
    });
    await expect(swallowed).rejects.toThrow('rolled back');
    expect(await store.load(org, 'swallowed')).toEqual([]);
  });

  it('repeats a transaction after a migration invalidated a prepared statement', async () => {
    let times = 0;
    const text = 'SELECT $1::int AS n';
    const answer = await inTransaction(pool, async (tx) => {
      times += 1;
      // Like PostgreSQL's error "cached plan must not change result type".
      if (times === 1) await tx.query("DO $$ BEGIN RAISE 'cached plan' USING ERRCODE = '0A000'; END $$");
      return (await tx.query<{ n: number }>(text, [times])).rows;
    });
    expect(answer).toEqual([{ n: 2 }]);
  });

  it('keeps workspaces apart', async () => {
    await open('shared-name');
    expect(await store.load('org_01jd7e5sqcfnmrq9yh4qvxw2k4', 'shared-name')).toEqual([]);
  });

  it('cannot change or remove an event', async () => {
    for (const statement of [
      'UPDATE event SET data = data',
      'DELETE FROM event',
      'TRUNCATE event',
      'DELETE FROM event_position',
    ])
      await expect(pool.query(statement)).rejects.toMatchObject({ code: '42501' });
  });
});
