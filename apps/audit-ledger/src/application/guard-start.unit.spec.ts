import { generateKeyPairSync } from 'node:crypto';
import { appendLeaf, type CompactRange, emptyRange, leafHash, noteSigner } from '@agentlattice/ledger';
import { checkpointKeys } from '../domain/checkpoint-keys.js';
import type { Release } from '../domain/release.js';
import { checkpointText, makeGuardStart } from './guard-start.js';

const orgId = 'org_1';
const origin = 'approvals.example/log/org_1';
const keyPair = () => generateKeyPairSync('ed25519').privateKey;
const signing = keyPair();
const entry = (n: number) => Buffer.from(`entry ${String(n)}`);
const treeOf = (entries: readonly Buffer[]): CompactRange =>
  entries.reduce((tree, bytes) => appendLeaf(tree, leafHash(bytes)), emptyRange);
const endOf = (entries: readonly Buffer[]) => ({ orgId, origin, tree: treeOf(entries) });
const signed = (entries: readonly Buffer[], key = signing) =>
  noteSigner(origin, key).sign(checkpointText(endOf(entries)));
const entries = Array.from({ length: 9 }, (_, n) => entry(n));

/** The guard over a log in memory, whose archive has checkpoints of 4 and of 9 entries. */
function guard(present: readonly Buffer[] | null, order: string | null = null, key = signing) {
  const notes = [signed(entries.slice(0, 4)), signed(entries)];
  const releases: Release[] = [];
  const start = makeGuardStart({
    archive: {
      append: (_, note) => Promise.resolve(void notes.push(note)),
      release: (release) => Promise.resolve(void releases.push(release)),
      newest: () => Promise.resolve(new Map([[orgId, notes.at(-1) ?? '']])),
      notes: () => Promise.resolve(notes.toReversed()),
      releases: () => Promise.resolve(new Map()),
    },
    checkpoints: {
      end: () => Promise.resolve(present === null ? null : endOf(present)),
      treeAtMost: () => Promise.resolve(null),
      entryBytes: (_: string, from: number, limit: number) =>
        Promise.resolve((present ?? []).slice(from, from + limit)),
    } as never,
    keys: checkpointKeys({ signing: key, previous: null, further: [] }),
    release: order === null ? null : { code: order, reason: 'drill' },
    released: () => {},
    now: () => '2026-11-29T12:00:00.000Z',
  });
  return { start, notes, releases };
}

const refusalOf = (start: () => Promise<void>) =>
  start().then(
    () => '',
    (error: Error) => `${error.name}: ${error.message}`,
  );
const codeFor = async (present: readonly Buffer[] | null) =>
  /LEDGER_RELEASE=([0-9a-f]{16}):/.exec(await refusalOf(guard(present).start))?.[1] ?? 'none';

describe('the start of the writer', () => {
  it('needs what was signed, and takes what was added since', async () => {
    for (const present of [entries, [...entries, entry(9)]])
      await expect(guard(present).start()).resolves.toBeUndefined();
    expect(await refusalOf(guard(entries.with(3, entry(99))).start)).toContain('not the one that was signed');
  });

  it('is refused where signed entries are missing, with the order that would release this loss', async () => {
    const said = await refusalOf(guard(entries.slice(0, 6)).start);
    expect(said).toContain(
      'LogRolledBack: the log of org_1 has 6 entries, 9 were signed: was a backup restored?',
    );
    expect(await codeFor(entries.slice(0, 6))).toMatch(/^[0-9a-f]{16}$/);
    expect(await codeFor(entries.slice(0, 5))).not.toBe(await codeFor(entries.slice(0, 6)));
  });

  it('is released by the order for exactly this loss, which is kept with what is left', async () => {
    const present = entries.slice(0, 6);
    const { start, notes, releases } = guard(present, await codeFor(present));
    await start();
    expect(releases).toMatchObject([{ orgId, signed: { size: 9 }, size: 6, reason: 'drill' }]);
    expect(notes.at(-1)).toBe(signed(present));
    // From now on what is left must be there.
    await expect(start()).resolves.toBeUndefined();
    expect(releases).toHaveLength(1);
  });

  it('is not released by the order for another loss, and keeps nothing then', async () => {
    const { start, notes, releases } = guard(entries.slice(0, 6), await codeFor(entries.slice(0, 5)));
    expect(await refusalOf(start)).toContain('was a backup restored?');
    expect([notes.length, releases]).toEqual([2, []]);
  });

  it('is not released where what is left is not what was signed', async () => {
    const present = entries.slice(0, 6).with(2, entry(99));
    const { start, releases } = guard(present, await codeFor(present));
    expect(await refusalOf(start)).toContain('not the one that was signed');
    expect(releases).toEqual([]);
  });

  it('is released where the whole log is gone', async () => {
    const { start, notes, releases } = guard(null, await codeFor(null));
    await start();
    expect([releases.map(({ size }) => size), notes.length]).toEqual([[0], 2]);
  });

  it('is refused without the key that signed last', async () => {
    expect(await refusalOf(guard(entries, null, keyPair()).start)).toContain(
      'audit-ledger-checkpoints.previous.pem (docs/operations/keys.md)',
    );
  });
});
