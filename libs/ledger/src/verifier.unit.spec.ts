import fc from 'fast-check';
import {
  canonicalJson,
  commit,
  createVerifier,
  encodeEntry,
  type Entry,
  leafHash,
  parseEntry,
  type Verdict,
  verifyLedger,
} from './index.js';
import {
  anySources,
  chainAll,
  draftsOf,
  rewriteFrom,
  sampleDraft,
  sampleLog,
  sampleTrust,
  signedAt,
} from '../test/sample-log.js';

const judge = (
  tampered: readonly Buffer[],
  original: readonly Buffer[],
  sizes = [original.length],
): Verdict =>
  verifyLedger(tampered, {
    log: sampleLog,
    checkpoints: sizes.map((size) => signedAt(original, size)),
    trusted: sampleTrust,
  });
const at = <T>(list: readonly T[], n: number): T => {
  const found = list[n];
  if (found === undefined) throw new RangeError(`nothing at ${String(n)}`);
  return found;
};
const edit = (bytes: Buffer, change: Partial<Entry>) =>
  Buffer.from(encodeEntry({ ...parseEntry(bytes), ...change }));
const replaced = (entries: readonly Buffer[], n: number, bytes: Buffer) => entries.with(n, bytes);

/** A log and a position in it. */
const logAndPlace = (minLength: number) =>
  anySources(minLength).chain((sources) =>
    fc.record({ entries: fc.constant(chainAll(draftsOf(sources))), place: fc.nat(sources.length - 1) }),
  );

describe('an unchanged log', () => {
  it('is sound, with checkpoints of any size', () =>
    fc.assert(
      fc.property(anySources(0), fc.array(fc.nat(24)), (sources, sizes) => {
        const entries = chainAll(draftsOf(sources));
        const within = [...sizes.filter((size) => size <= entries.length), entries.length];
        expect(judge(entries, entries, within)).toMatchObject({ ok: true, size: entries.length });
      }),
    ));

  it('may be longer than its newest checkpoint', () => {
    const entries = chainAll(draftsOf(['gateway', 'gateway', 'notifier']));
    expect(judge(entries, entries, [2])).toMatchObject({ ok: true, size: 3, vouched: 2 });
  });

  it('gets the same verdict with constant memory, when the sizes are given', () => {
    const entries = chainAll(draftsOf(['gateway', 'gateway', 'notifier']));
    const verifier = createVerifier({ sizes: [2, 3] });
    for (const entry of entries) expect(verifier.push(entry)).toBe(true);
    const checkpoints = [signedAt(entries, 3), signedAt(entries, 2)];
    expect(verifier.finish({ checkpoints, trusted: sampleTrust })).toEqual(judge(entries, entries));
  });
});

describe('the first bad entry is named', () => {
  it('after an edit', () =>
    fc.assert(
      fc.property(
        logAndPlace(1),
        fc.constantFrom<Partial<Entry>>(
          { time: '2026-03-01T12:00:00.001Z' },
          { decision: 'approved' },
          { resolved_by: 'mbr_x' },
          { private: { reason: 'a'.repeat(64) } },
          { org_id: 'org_x' },
        ),
        ({ entries, place }, change) => {
          const verdict = judge(replaced(entries, place, edit(at(entries, place), change)), entries);
          // No entry follows the last one, so only the signed root shows it.
          expect(verdict).toMatchObject({
            at: place,
            code: place === entries.length - 1 ? 'root_mismatch' : 'edited',
          });
        },
      ),
    ));

  it('after an edit of a member that gives its position', () =>
    fc.assert(
      fc.property(logAndPlace(2), ({ entries, place }) => {
        const of = (change: Partial<Entry>) =>
          judge(replaced(entries, place, edit(at(entries, place), change)), entries);
        expect(of({ prev_hash: 'f'.repeat(64) })).toMatchObject({ at: place, code: 'chain_broken' });
        expect(of({ log: 'another' })).toMatchObject({ at: place, code: 'foreign_log' });
        expect(of({ source_seq: 99 })).toMatchObject({ at: place, code: 'source_gap' });
        expect(of({ seq: place + 50 })).toMatchObject({ at: place, code: 'edited' });
      }),
    ));

  it('after a change to bytes that are no entry', () =>
    fc.assert(
      fc.property(logAndPlace(1), fc.uint8Array({ maxLength: 60 }), ({ entries, place }, bytes) => {
        expect(judge(replaced(entries, place, Buffer.from(bytes)), entries)).toMatchObject({
          at: place,
          code: 'malformed',
        });
        const spaced = Buffer.from(` ${at(entries, place).toString()}`);
        expect(judge(replaced(entries, place, spaced), entries)).toMatchObject({
          at: place,
          code: 'malformed',
        });
      }),
    ));

  it('after a deletion', () =>
    fc.assert(
      fc.property(logAndPlace(1), ({ entries, place }) => {
        const code = place === entries.length - 1 ? 'truncated' : 'sequence_gap';
        expect(judge(entries.toSpliced(place, 1), entries)).toMatchObject({ at: place, code });
      }),
    ));

  it('after a truncation', () =>
    fc.assert(
      fc.property(logAndPlace(1), ({ entries, place }) => {
        expect(judge(entries.slice(0, place), entries)).toMatchObject({ at: place, code: 'truncated' });
      }),
    ));

  it('after an insertion of a forged entry that fits its position', () =>
    fc.assert(
      fc.property(logAndPlace(1), ({ entries, place }) => {
        const before = parseEntry(at(entries, place));
        const forged = edit(at(entries, place), { id: 'evt_forged', prev_hash: before.prev_hash });
        expect(judge(entries.toSpliced(place, 0, forged), entries)).toMatchObject({
          at: place,
          code: 'inserted',
        });
      }),
    ));

  it('after an insertion of a copy from elsewhere in the log', () =>
    fc.assert(
      fc.property(logAndPlace(2), fc.nat(), ({ entries, place }, seed) => {
        const from = seed % entries.length;
        const tampered = entries.toSpliced(place, 0, at(entries, from));
        // A copy before its original is the original: the second one was inserted.
        expect(judge(tampered, entries)).toMatchObject({
          at: from === place ? place + 1 : place,
          code: 'inserted',
        });
      }),
    ));

  it('after two entries were swapped', () =>
    fc.assert(
      fc.property(logAndPlace(2), fc.nat(), ({ entries, place }, seed) => {
        const other = (place + 1 + (seed % (entries.length - 1))) % entries.length;
        const swapped = entries.with(place, at(entries, other)).with(other, at(entries, place));
        expect(judge(swapped, entries)).toMatchObject({ at: Math.min(place, other), code: 'reordered' });
      }),
    ));

  it('after a rewrite with a valid chain: it lies between the checkpoints that fit and the first that does not', () =>
    fc.assert(
      fc.property(logAndPlace(1), fc.array(fc.nat(24)), ({ entries, place }, sizes) => {
        const sources = entries.map((entry) => parseEntry(entry).source);
        const tampered = rewriteFrom(entries, place, draftsOf(sources, 'rewritten').slice(place));
        const signed = [...sizes.filter((size) => size <= entries.length), entries.length];
        const since = Math.max(0, ...signed.filter((size) => size <= place));
        const first = Math.min(...signed.filter((size) => size > place));
        expect(judge(tampered, entries, signed)).toMatchObject({
          code: 'root_mismatch',
          since,
          at: first - 1,
        });
      }),
    ));

  it('after an omission: the source has a gap', () =>
    fc.assert(
      fc.property(logAndPlace(2), ({ entries, place }) => {
        const drafts = draftsOf(entries.map((entry) => parseEntry(entry).source));
        const omitted = at(drafts, place).source;
        const rest = drafts.toSpliced(place, 1);
        const noticed = rest.findIndex((draft, n) => n >= place && draft.source === omitted);
        const verdict = verifyLedger(chainAll(rest), { log: sampleLog });
        expect(verdict).toMatchObject(noticed < 0 ? { ok: true } : { at: noticed, code: 'source_gap' });
      }),
    ));

  it('in a foreign log, and in a log with a foreign entry', () =>
    fc.assert(
      fc.property(logAndPlace(1), ({ entries, place }) => {
        const foreign = chainAll(
          draftsOf(entries.map((entry) => parseEntry(entry).source)),
          'another.test/log',
        );
        expect(judge(foreign, entries)).toMatchObject({ at: 0, code: 'foreign_log' });
        expect(judge(replaced(entries, place, at(foreign, place)), entries)).toMatchObject({
          at: place,
          code: 'foreign_log',
        });
      }),
    ));

  it('when a disclosed value is not the one committed to', () => {
    const salt = 'ab'.repeat(16);
    const value = canonicalJson({ amount: 5 });
    const draft = {
      ...sampleDraft('audit-ledger', 1, 'evt_0'),
      private: { metadata: commit('metadata', salt, value) },
    };
    const entries = chainAll([draft]);
    const told = (disclosed: object) => verifyLedger(entries, { disclosed: () => disclosed });
    expect(told({ metadata: { salt, value } })).toMatchObject({ ok: true });
    const mismatch = { at: 0, code: 'commitment_mismatch' };
    expect(told({ metadata: { salt, value: canonicalJson({ amount: 6 }) } })).toMatchObject(mismatch);
    expect(told({ metadata: { salt: 'cd'.repeat(16), value } })).toMatchObject(mismatch);
    expect(told({ metadata: { salt: 'zz', value } })).toMatchObject(mismatch);
    expect(told({ reason: { salt, value } })).toMatchObject(mismatch);
    expect(told({ constructor: { salt, value } })).toMatchObject(mismatch);
  });
});

describe('a checkpoint', () => {
  const entries = chainAll(draftsOf(['gateway', 'notifier', 'gateway']));
  const other = chainAll(draftsOf(['gateway', 'notifier', 'gateway'], 'fork'));
  const with_ = (...checkpoints: string[]) => verifyLedger(entries, { checkpoints, trusted: sampleTrust });

  it('of a fork does not fit, for either side', () => {
    expect(with_(signedAt(entries, 3), signedAt(other, 3))).toMatchObject({ code: 'root_mismatch', at: 2 });
    expect(with_(signedAt(other, 2), signedAt(entries, 3))).toMatchObject({
      code: 'root_mismatch',
      at: 1,
      since: 0,
    });
  });

  it('counts only when a trusted key signed it', () => {
    expect(verifyLedger(entries, { checkpoints: [signedAt(entries, 3)], trusted: [] })).toMatchObject({
      code: 'bad_signature',
      at: null,
    });
    expect(with_(signedAt(entries, 3).replace('\n3\n', '\n2\n'))).toMatchObject({
      code: 'bad_signature',
      at: null,
    });
  });

  it('must have the form of one', () => {
    expect(with_('hello')).toMatchObject({ code: 'bad_checkpoint', at: null });
  });

  it('confirms possible faults at the end of a log', () => {
    const edited = entries.with(1, edit(at(entries, 1), { decision: 'denied' }));
    expect(judge(edited, entries)).toMatchObject({ code: 'edited', at: 1 });
    expect(leafHash(at(edited, 1))).not.toEqual(leafHash(at(entries, 1)));
  });
});
