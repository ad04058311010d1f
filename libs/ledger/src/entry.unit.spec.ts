import canonicalize from 'canonicalize';
import fc from 'fast-check';
import {
  canonicalJson,
  commit,
  encodeEntry,
  type Entry,
  EntryRefused,
  entryDecisions,
  entryVias,
  entrySources,
  leafHash,
  maxEntryBytes,
  parseEntry,
  zeroHash,
} from './index.js';
import { leafHashOfText } from './tree-hash.js';
import { sampleDraft, sampleLog } from '../test/sample-log.js';

const entry: Entry = {
  ...sampleDraft('gateway', 1, 'evt_1'),
  v: 1,
  log: sampleLog,
  seq: 0,
  prev_hash: zeroHash,
};
const wellFormed = (maxLength: number) =>
  fc.string({ unit: 'binary', minLength: 1, maxLength }).filter((s) => s.isWellFormed());
const name = wellFormed(80);
const hash = fc.stringMatching(/^[0-9a-f]{64}$/);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const whole = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.maxSafeInteger().map((n) => Math.abs(n) + 1).filter(Number.isSafeInteger)); // prettier-ignore
const members: { [M in Exclude<keyof Entry, 'v' | 'delegation'>]: fc.Arbitrary<Entry[M]> } = {
  log: fc.constantFrom(sampleLog, 'log.test/é"\\\u0001'),
  seq: whole,
  prev_hash: hash,
  id: name,
  type: fc.constantFrom('action.executed', 'approval.denied', 'key.made_up'),
  time: fc.constant(entry.time),
  source: fc.constantFrom(...entrySources),
  source_seq: whole,
  org_id: name,
  action_type: orNull(name),
  agent: orNull(fc.record({ name, id: name })),
  operator: orNull(fc.record({ via: fc.constantFrom(...entryVias), id: name })),
  decision: orNull(fc.constantFrom(...entryDecisions)),
  resolved_by: orNull(name),
  policy: orNull(fc.record({ version: whole, name, id: name, hash })),
  approval_id: orNull(name),
  correlation_id: orNull(name),
  private: fc.record({ reason: hash, note: hash, metadata: hash, data_accessed: hash }, { requiredKeys: [] }),
};
/** Members in another order than the canonical one. */
const anyEntry: fc.Arbitrary<Entry> = fc
  .record({
    entry: fc.record(members),
    delegation: orNull(
      fc.record({ id: name, above: fc.array(fc.record({ name, id: name }), { minLength: 1, maxLength: 8 }) }),
    ),
  })
  .map(({ entry: one, delegation }): Entry => {
    if (delegation === null || one.agent === null) return { ...one, v: 1 };
    return { ...one, delegation: { id: delegation.id, chain: [...delegation.above, one.agent] }, v: 2 };
  });
const parse = (value: unknown) => parseEntry(Buffer.from(canonicalJson(value)));
const refusal = (run: () => unknown) => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof EntryRefused ? error.code : error;
  }
};

describe('an entry', () => {
  it('has the bytes of canonicalize and reads back, whatever its texts are', () =>
    fc.assert(
      fc.property(anyEntry, (odd) => {
        const text = encodeEntry(odd);
        expect(text).toBe(canonicalize(odd));
        expect(parseEntry(Buffer.from(text))).toEqual(odd);
        expect(leafHashOfText(text)).toEqual(leafHash(Buffer.from(text)));
      }),
      { numRuns: 1_000 },
    ));

  it('names who acts for whom in version 2, and only there', () => {
    const agent = { id: 'agt_2', name: 'child' };
    const root = { id: 'agt_1', name: 'root' };
    const delegated: Entry = { ...entry, v: 2, agent, delegation: { id: 'del_1', chain: [root, agent] } };
    expect(parse(delegated)).toEqual(delegated);
    const { delegation: _, ...without } = delegated;
    const chained = (chain: unknown) => ({ ...delegated, delegation: { id: 'del_1', chain } });
    for (const bad of [
      { ...delegated, v: 1 },
      { ...without, v: 2 },
      { ...without, v: 2, delegation: null },
      { ...delegated, v: 3 },
      { ...delegated, agent: null },
      { ...delegated, delegation: { ...delegated.delegation, more: 1 } },
      chained([agent]),
      chained([root, root]),
      chained([agent, root]),
      chained([root, { ...agent, name: 'other' }]),
      chained([root, { ...agent, more: 1 }]),
      chained([...Array.from({ length: 9 }, () => root), agent]),
      chained({ 0: root, 1: agent }),
      chained('x'),
    ]) {
      expect(refusal(() => encodeEntry(bad as Entry))).toBe('malformed');
      expect(refusal(() => parse(bad))).toBe('malformed');
    }
  });

  it('lacks no member and has no other', () => {
    for (const member of Object.keys(entry)) {
      const { [member as keyof Entry]: _, ...rest } = entry;
      expect(refusal(() => parse(rest))).toBe('malformed');
    }
    expect(refusal(() => parse({ ...entry, extra: 1 }))).toBe('malformed');
    expect(refusal(() => parse({ ...entry, agent: { id: 'a', name: 'b', role: 'c' } }))).toBe('malformed');
    expect(refusal(() => parse({ ...entry, private: { password: zeroHash } }))).toBe('malformed');
  });

  it.each<[string, unknown]>([
    ['v', 2],
    ['log', 'two words'],
    ['seq', -1],
    ['seq', 0.5],
    ['seq', 2 ** 53],
    ['prev_hash', 'AB'.repeat(32)],
    ['type', 'action.invented'],
    ['type', 'unknown.thing'],
    ['type', '__proto__.x'],
    ['time', '2026-03-01T12:00:00Z'],
    ['source', 'someone'],
    ['source_seq', 0],
    ['decision', 'allowed'],
    ['operator', { id: 'x', via: 'telepathy' }],
    ['policy', { id: 'p', name: 'n', version: '3', hash: zeroHash }],
  ])('refuses %s = %j', (member, value) => {
    expect(refusal(() => parse({ ...entry, [member]: value }))).toBe('malformed');
  });

  it('is refused in any other than its canonical form', () => {
    const text = encodeEntry(entry);
    const same = [
      ` ${text}`,
      `${text}\n`,
      text.replace('"v":1', '"v":1.0'),
      text.replace('gateway', '\\u0067ateway'),
    ];
    for (const other of same) {
      expect(JSON.parse(other)).toEqual(entry);
      expect(refusal(() => parseEntry(Buffer.from(other)))).toBe('not_canonical');
    }
    expect(refusal(() => parseEntry(Buffer.from(text.replace('"v":1', '"v":1,"v":1'))))).toBe(
      'not_canonical',
    );
    expect(refusal(() => parseEntry(Buffer.from(`\ufeff${text}`)))).toBe('malformed');
    expect(refusal(() => parseEntry(Buffer.from([0xff, 0xfe])))).toBe('malformed');
  });

  it('holds no lone surrogate', () => {
    expect(refusal(() => encodeEntry({ ...entry, id: 'a\ud800' }))).toBe('malformed');
  });

  it('has at most 60 KiB', () => {
    // Only a reader meets one: no member of a well-formed entry can be that long.
    expect(refusal(() => parseEntry(Buffer.alloc(maxEntryBytes + 1, 32)))).toBe('too_large');
  });
});

describe('a commitment', () => {
  it('binds field, salt and value', () => {
    const salt = '00'.repeat(16);
    const all = [commit('reason', salt, '"a"'), commit('note', salt, '"a"'), commit('reason', '11'.repeat(16), '"a"'), commit('reason', salt, '"b"')]; // prettier-ignore
    expect(new Set(all).size).toBe(4);
    expect(commit('reason', Buffer.alloc(16), '"a"')).toBe(all[0]);
  });

  it('needs a salt that cannot be guessed', () => {
    expect(() => commit('reason', '00'.repeat(15), '"a"')).toThrow(RangeError);
    expect(() => commit('reason', 'no hex', '"a"')).toThrow(RangeError);
  });
});
