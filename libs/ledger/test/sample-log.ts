import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import fc from 'fast-check';
import {
  type ChainHead,
  chainEntry,
  emptyChain,
  type EntryDraft,
  type EntrySource,
  entrySources,
  formatCheckpoint,
  leafHash,
  noteSigner,
  parseVerifierKey,
  rootOfLeaves,
} from '../src/index.js';

export const sampleLog = 'agentlattice.test/log/org_01jd7e5sqcfnmrq9yh4qvxw2k3';

/** An Ed25519 key made from a text; for tests only. */
export const testKey = (text: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([
      Buffer.from('302e020100300506032b657004220420', 'hex'),
      createHash('sha256').update(text).digest(),
    ]),
    format: 'der',
    type: 'pkcs8',
  });

export const sampleDraft = (source: EntrySource, sourceSeq: number, id: string): EntryDraft => ({
  id,
  type: 'agent.registered',
  time: '2026-03-01T12:00:00.000Z',
  source,
  source_seq: sourceSeq,
  org_id: 'org_01jd7e5sqcfnmrq9yh4qvxw2k3',
  action_type: null,
  agent: null,
  operator: null,
  decision: null,
  resolved_by: null,
  policy: null,
  approval_id: null,
  correlation_id: null,
  private: {},
});

/** Drafts of one entry for each named source, numbered per source as a log must be. */
export function draftsOf(sources: readonly EntrySource[], mark = ''): EntryDraft[] {
  const sequence = new Map<EntrySource, number>();
  return sources.map((source, n) => {
    const next = (sequence.get(source) ?? 0) + 1;
    sequence.set(source, next);
    return sampleDraft(source, next, `evt_${String(n)}${mark}`);
  });
}

/** Chains drafts after a head; returns each entry's bytes. */
export function chainAll(drafts: readonly EntryDraft[], log = sampleLog, from?: ChainHead): Buffer[] {
  let head = from ?? emptyChain(log);
  return drafts.map((draft) => {
    const chained = chainEntry(head, draft);
    head = chained.head;
    return Buffer.from(chained.text);
  });
}

/** The same log, rewritten from `at` on by an attacker without the key. */
export const rewriteFrom = (
  entries: readonly Buffer[],
  at: number,
  drafts: readonly EntryDraft[],
): Buffer[] => {
  const kept = entries.slice(0, at);
  const last = kept.at(-1);
  const head =
    last === undefined
      ? emptyChain(sampleLog)
      : { log: sampleLog, size: at, lastHash: leafHash(last).toString('hex') };
  return [...kept, ...chainAll(drafts, sampleLog, head)];
};

const signer = noteSigner(sampleLog, testKey('sample'));
export const sampleTrust = [parseVerifierKey(signer.verifierKey)];

/** Signed checkpoint of the first `size` entries. */
export const signedAt = (entries: readonly Buffer[], size: number): string =>
  signer.sign(
    formatCheckpoint({ origin: sampleLog, size, root: rootOfLeaves(entries.slice(0, size).map(leafHash)) }),
  );

export const anySources = (minLength: number, maxLength = 24): fc.Arbitrary<EntrySource[]> =>
  fc.array(fc.constantFrom(...entrySources), { minLength, maxLength });
