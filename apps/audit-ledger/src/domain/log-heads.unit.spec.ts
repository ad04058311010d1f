import { rootOfLeaves, rootOf, verifyLedger } from '@agentlattice/ledger';
import { typeidUnboxed } from 'typeid-js';
import { newOrg, sampleSubmission } from '../../test/sample-items.js';
import { type LogHeads, settle, stage } from './log-heads.js';
import type { Draft, EventDraft } from './draft.js';

const empty = (): LogHeads => ({ logs: new Map(), gpos: 0, timeMs: 0, sources: new Map() });
const around = (now = 1_790_000_000_000) => ({
  now,
  originOf: (org: string) => `test/log/${org}`,
  newId: () => typeidUnboxed('evt'),
});
const event = (org: string, gpos: number, sourceSeq: number, type = 'agent.registered'): EventDraft => ({
  kind: 'event',
  id: typeidUnboxed('evt'),
  facts: { ...sampleSubmission({ org }).facts, type, decision: null, policy: null, private: {} },
  content: {},
  source: 'gateway',
  gpos,
  sourceSeq,
  time: '2026-11-25T06:00:00.000Z',
});
const put = (heads: LogHeads, drafts: Draft[], now?: number) => {
  const staged = stage(heads, drafts, around(now));
  return { staged, codes: drafts.map((draft) => staged.refused.get(draft)?.code ?? null) };
};

it('begins each log with `ledger.created` and chains the rest to it', () => {
  const [a, b] = [newOrg(), newOrg()];
  const { staged } = put(
    empty(),
    [a, b, a].map((org) => sampleSubmission({ org })),
  );
  expect(staged.rows.map(({ gpos }) => gpos)).toEqual([1, 2, 3, 4, 5]);
  for (const [org, size] of [
    [a, 3],
    [b, 2],
  ] as const) {
    const rows = staged.rows.filter(({ entry }) => entry.org_id === org);
    expect(rows.map(({ entry }) => [entry.seq, entry.source_seq])).toEqual(rows.map((_, n) => [n, n + 1]));
    expect(rows[0]?.entry.type).toBe('ledger.created');
    expect(verifyLedger(rows.map(({ text }) => Buffer.from(text)))).toMatchObject({ ok: true });
    const grown = staged.grown.get(org);
    expect(grown).toMatchObject({ by: size, end: { head: { size } } });
    expect(grown && rootOf(grown.end.tree)).toEqual(rootOfLeaves(rows.map(({ leaf }) => leaf)));
  }
});

it('changes nothing before it is settled', () => {
  const heads = empty();
  const { staged } = put(heads, [sampleSubmission()]);
  expect(heads).toEqual(empty());
  expect(settle(heads, staged)).toMatchObject({ gpos: 2, timeMs: 1_790_000_000_000 });
});

it('never goes back in time, even if the clock does', () => {
  const org = newOrg();
  const heads = settle(empty(), put(empty(), [sampleSubmission({ org })], 2_000_000_000_000).staged);
  const { staged } = put(heads, [sampleSubmission({ org })], 1_000_000_000_000);
  expect(staged.rows[0]?.entry.time).toBe(new Date(2_000_000_000_000).toISOString());
});

it('fixes the deadline of a request by the time of its entry', () => {
  const { staged } = put(empty(), [sampleSubmission({ decision: 'requested' })]);
  expect(staged.rows[1]?.submission?.recorded.outcome.timeout_at).toBe(
    new Date(1_790_000_000_000 + 90_000).toISOString(),
  );
});

describe('events of a source', () => {
  it('enter in order, once', () => {
    const [a, b] = [newOrg(), newOrg()];
    const drafts = [event(a, 1, 1), event(b, 2, 1), event(a, 2, 2), event(a, 3, 2)];
    const { staged, codes } = put(empty(), drafts);
    expect(codes).toEqual([null, null, 'known', null]);
    expect(staged.sources.get('gateway')).toBe(3);
  });

  it.each([
    ['a gap in the source', (org: string) => event(org, 3, 2)],
    ['a gap in the workspace', (org: string) => event(org, 2, 3)],
    ['an entry that cannot be encoded', (org: string) => event(org, 2, 2, 'no such type')],
  ])('are not overtaken after %s, while submissions continue', (_, odd) => {
    const org = newOrg();
    const { staged, codes } = put(empty(), [
      event(org, 1, 1),
      odd(org),
      event(org, 3, 2),
      sampleSubmission({ org }),
    ]);
    expect([codes[0], codes[2], codes[3]]).toEqual([null, 'out_of_order', null]);
    expect(codes[1]).not.toBeNull();
    expect(staged.sources.get('gateway')).toBe(1);
    expect(verifyLedger(staged.rows.map(({ text }) => Buffer.from(text)))).toMatchObject({ ok: true });
  });
});
