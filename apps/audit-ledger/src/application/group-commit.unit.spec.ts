import { eventually } from '@agentlattice/testkit';
import { sampleItem, sampleSubmission, type Wanted } from '../../test/sample-items.js';
import type { LogHeads, Staged } from '../domain/log-heads.js';
import { type CommitStore, EventKeyTaken, WriterLost } from '../domain/commit-store.js';
import type { EventDraft, SubmissionDraft, WrittenSubmission } from '../domain/draft.js';
import { commitLimits } from './commit-queue.js';
import { GroupCommit } from './group-commit.js';
import type { Submission, SubmissionResult } from './submission-result.js';

const emptyHeads = (): LogHeads => ({ logs: new Map(), gpos: 0, timeMs: 0, sources: new Map() });

/** A store whose commits end when the test says so. */
class HeldStore implements CommitStore {
  readonly commits: { staged: Staged; end: (outcome: number | Error) => void }[] = [];
  loads = 0;
  loaded: LogHeads | Error = emptyHeads();

  commit(_before: LogHeads, staged: Staged): Promise<number> {
    return new Promise((resolve, reject) => {
      const end = (outcome: number | Error) =>
        outcome instanceof Error ? reject(outcome) : resolve(outcome);
      this.commits.push({ staged, end });
    });
  }
  /** What the log has, by event id. */
  readonly known = new Map<string, WrittenSubmission>();

  findByEventKey(drafts: readonly SubmissionDraft[]): Promise<Map<SubmissionDraft, WrittenSubmission>> {
    return Promise.resolve(
      new Map(
        drafts.flatMap((draft) => {
          const found = this.known.get(draft.eventKey ?? '');
          return found === undefined ? [] : [[draft, found]];
        }),
      ),
    );
  }
  load(): Promise<LogHeads> {
    this.loads++;
    return this.loaded instanceof Error ? Promise.reject(this.loaded) : Promise.resolve(this.loaded);
  }
}

function setUp() {
  const store = new HeldStore();
  const clock = { monotonic: 0, wall: 1_000_000 };
  const results = new Map<Submission, SubmissionResult>();
  const failures: unknown[] = [];
  let ids = 0;
  const writer = new GroupCommit(emptyHeads(), 1_790_000_000_000, {
    store,
    originOf: (org) => `test/log/${org}`,
    newId: () => `evt_${String(ids++)}`,
    monotonic: () => clock.monotonic,
    wallClock: () => clock.wall,
    deliver: (delivered) => {
      for (const [submission, result] of delivered) results.set(submission, result);
    },
    committed: () => {},
    failed: (error) => failures.push(error),
  });
  const submit = (count = 1, expiresAt = Infinity, wanted: Wanted = {}) => {
    const make = () => ({ item: sampleItem(wanted), draft: sampleSubmission(wanted) });
    // Those without an id of their own are made once: thousands of them take seconds.
    const same = wanted.eventId === undefined ? null : make();
    const made = Array.from({ length: count }, (): Submission => ({ ...(same ?? make()), expiresAt }));
    writer.submit(made);
    return made;
  };
  const commit = (n: number) => eventually(() => store.commits[n]);
  return { store, clock, results, failures, writer, submit, commit };
}

const kinds = (results: Map<Submission, SubmissionResult>, submissions: readonly Submission[]) => [
  ...new Set(submissions.map((submission) => results.get(submission)?.kind)),
];

describe('group commit', () => {
  it('writes a single arrival at once and collects arrivals while a commit runs', async () => {
    const { submit, commit, results, store } = setUp();
    const first = submit();
    const { staged, end } = await commit(0);
    expect(staged.rows).toHaveLength(2);
    const later = [...submit(), ...submit(), ...submit()];
    expect(store.commits).toHaveLength(1);
    end(1_790_000_000_001);
    const second = await commit(1);
    expect(second.staged.rows).toHaveLength(3);
    expect(kinds(results, first)).toEqual(['written']);
    expect(kinds(results, later)).toEqual([undefined]);
    second.end(1_790_000_000_002);
    await eventually(() => later.every((submission) => results.has(submission)));
  });

  it('limits the entries of a commit, and continues with the rest', async () => {
    const { submit, commit } = setUp();
    submit(commitLimits.entries + 5);
    const { staged, end } = await commit(0);
    expect(staged.placed.size).toBe(commitLimits.entries);
    end(1);
    expect((await commit(1)).staged.placed.size).toBe(5);
  });

  it('fails all submissions of a failed commit and reads the heads again', async () => {
    const { submit, commit, results, failures, store } = setUp();
    const failed = submit(3);
    (await commit(0)).end(new Error('disk full'));
    await eventually(() => results.size === 3);
    expect(kinds(results, failed)).toEqual(['unavailable']);
    expect(failures).toHaveLength(1);
    expect(store.loads).toBe(1);
    const next = submit();
    const { staged, end } = await commit(1);
    // The heads went back, so the log begins again.
    expect(staged.rows.map(({ entry }) => entry.seq)).toEqual([0, 1]);
    end(1);
    await eventually(() => results.get(next[0] as Submission)?.kind === 'written');
  });

  it('writes nothing more once the writer is lost', async () => {
    const { submit, commit, results, store, writer } = setUp();
    const inFlight = submit();
    const { end } = await commit(0);
    const queued = submit(4);
    end(new WriterLost('fenced'));
    await eventually(() => results.size === 5);
    const late = submit();
    expect(kinds(results, [...inFlight, ...queued, ...late])).toEqual(['unavailable']);
    expect(store.commits).toHaveLength(1);
    await expect(writer.append(event(1))).rejects.toThrow(WriterLost);
  });

  it('is lost when the head cannot be read after a failure', async () => {
    const { submit, commit, results, store, failures } = setUp();
    store.loaded = new Error('no answer');
    submit();
    const { end } = await commit(0);
    const queued = submit(2);
    end(new Error('something'));
    await eventually(() => results.size === 3);
    expect(kinds(results, queued)).toEqual(['unavailable']);
    // The active writer must get this error, or it would keep its lock without writing.
    expect(failures.at(-1)).toBeInstanceOf(WriterLost);
  });

  it('drops expired submissions, and refuses those that waited too long', async () => {
    const { submit, commit, results, clock, store } = setUp();
    submit();
    const { end } = await commit(0);
    const expired = submit(1, clock.wall + 500);
    const patient = submit(1, clock.wall + 60_000);
    clock.wall += 501;
    clock.monotonic += commitLimits.waitMs + 1;
    const refused = submit();
    expect(kinds(results, refused)).toEqual(['unavailable']);
    end(1);
    await eventually(() => results.has(patient[0] as Submission));
    expect(kinds(results, expired)).toEqual(['expired']);
    expect(kinds(results, patient)).toEqual(['unavailable']);
    expect(store.commits).toHaveLength(1);
  });

  it('limits the number of waiting submissions', async () => {
    const { submit, commit, results } = setUp();
    submit();
    await commit(0);
    submit(commitLimits.queued, Infinity, { eventId: null });
    const refused = submit();
    expect(kinds(results, refused)).toEqual(['unavailable']);
  });

  it('limits the bytes of waiting submissions, repetitions included, and has room again once they are written', async () => {
    const { submit, commit, results } = setUp();
    const large = { metadata: { text: 'x'.repeat(commitLimits.bytes) }, eventId: 'same' };
    submit();
    const first = await commit(0);
    const count = Math.ceil(commitLimits.queuedBytes / commitLimits.bytes);
    const taken = submit(count, Infinity, large);
    const refused = submit();
    expect(kinds(results, refused)).toEqual(['unavailable']);
    first.end(1);
    (await commit(1)).end(2);
    await eventually(() => results.has(taken[0] as Submission));
    expect(kinds(results, taken)).toEqual(['written', 'repeated']);
    const later = submit();
    (await commit(2)).end(3);
    await eventually(() => results.get(later[0] as Submission)?.kind === 'written');
  });

  it('gives a duplicate that arrives during the commit the result of the first', async () => {
    const { submit, commit, results } = setUp();
    const wanted = { eventId: 'same' };
    const first = submit(1, Infinity, wanted);
    const { end } = await commit(0);
    const joined = submit(2, Infinity, wanted);
    const other = submit(1, Infinity, { ...wanted, metadata: { pr_size: 13 } });
    end(1);
    await eventually(() => results.size === 4);
    expect(kinds(results, first)).toEqual(['written']);
    expect(kinds(results, joined)).toEqual(['repeated']);
    expect(kinds(results, other)).toEqual(['key_reused']);
  });

  it('does not report a duplicate as written when the first was not written', async () => {
    const { submit, commit, results } = setUp();
    submit(1, Infinity, { eventId: 'same' });
    const { end } = await commit(0);
    const joined = submit(1, Infinity, { eventId: 'same', metadata: { pr_size: 13 } });
    end(new Error('disk full'));
    await eventually(() => results.size === 2);
    expect(kinds(results, joined)).toEqual(['unavailable']);
  });

  it('fails instead of retrying forever when a key is taken but no entry has it', async () => {
    const { submit, commit, results } = setUp();
    submit();
    (await commit(0)).end(new EventKeyTaken());
    await eventually(() => results.size === 1);
    expect([...results.values()][0]?.kind).toBe('unavailable');
  });

  it('answers what a gateway sends again without a commit, and once', async () => {
    const { submit, commit, results, store, writer } = setUp();
    const [first] = submit(1, Infinity, { eventId: 'known' });
    (await commit(0)).end(1_790_000_000_001);
    const written = await eventually(() => first && results.get(first));
    if (first === undefined || written.kind !== 'written') throw new Error('the first one was not written');
    store.known.set('"known"', written.first);
    submit();
    const again: Submission = { ...first, item: { ...first.item, again: true } };
    writer.submit([again]);
    const [fresh] = submit(1, Infinity, { eventId: 'fresh' });
    (await commit(1)).end(1_790_000_000_002);
    const { staged, end } = await commit(2);
    expect(staged.rows.map(({ submission }) => submission?.eventKey)).toEqual(['"fresh"']);
    expect(results.get(again)?.kind).toBe('repeated');
    end(new Error('the disk is full'));
    await eventually(() => fresh !== undefined && results.get(fresh)?.kind === 'unavailable');
    expect(results.get(again)?.kind).toBe('repeated');
  });

  it('follows the database’s clock and never decreases', async () => {
    const { submit, commit, clock } = setUp();
    const times: string[] = [];
    const commitAt = async (n: number, databaseNow: number) => {
      submit();
      const { staged, end } = await commit(n);
      times.push(staged.rows.at(-1)?.entry.time ?? '');
      end(databaseNow);
    };
    await commitAt(0, 1_790_000_005_000);
    clock.monotonic += 1_000;
    await commitAt(1, 1_790_000_001_000);
    await commitAt(2, 1_790_000_009_000);
    expect(times).toEqual([
      '2026-09-21T14:13:20.000Z',
      '2026-09-21T14:13:26.000Z',
      '2026-09-21T14:13:26.000Z',
    ]);
  });

  it('keeps the order of each source and refuses only the event that breaks it', async () => {
    const { writer, submit, commit, results } = setUp();
    const blocking = submit();
    const { end } = await commit(0);
    const outcomes = Promise.allSettled([
      writer.append(event(1)),
      writer.append(event(3)),
      writer.append(event(1)),
    ]);
    const neighbour = submit();
    end(1);
    const second = await commit(1);
    expect(second.staged.sources.get('gateway')).toBe(1);
    second.end(2);
    expect((await outcomes).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(kinds(results, [...blocking, ...neighbour])).toEqual(['written']);
  });
});

const event = (gpos: number): EventDraft => ({
  kind: 'event',
  id: `evt_foreign${String(gpos)}`,
  source: 'gateway',
  gpos,
  sourceSeq: gpos,
  time: '2026-09-01T00:00:00.000Z',
  content: {},
  facts: {
    type: 'agent.registered',
    org_id: 'org_1',
    action_type: null,
    agent: null,
    operator: null,
    decision: null,
    resolved_by: null,
    policy: null,
    approval_id: null,
    correlation_id: null,
    private: {},
  },
});

describe('a log that cannot be written', () => {
  it('is blocked from its first failure until the next success', async () => {
    const { clock, commit, submit, writer } = setUp();
    expect(writer.blockedMs).toBe(0);
    submit();
    (await commit(0)).end(new Error('no space left on device'));
    await writer.drained();
    clock.monotonic += 4_000;
    submit();
    (await commit(1)).end(new Error('no space left on device'));
    await writer.drained();
    clock.monotonic += 1_000;
    expect(writer.blockedMs).toBe(5_000);
    submit();
    (await commit(2)).end(1_790_000_000_000);
    await writer.drained();
    expect(writer.blockedMs).toBe(0);
  });

  it('is blocked by a hanging commit until nothing waits', async () => {
    const { clock, commit, submit, writer } = setUp();
    submit();
    const hanging = await commit(0);
    clock.monotonic += 3_000;
    expect(writer.blockedMs).toBe(3_000);
    hanging.end(new Error('no space left on device'));
    await writer.drained();
    clock.monotonic += 60_000;
    expect(writer.blockedMs).toBe(0);
  });
});
