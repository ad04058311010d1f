import { fullSeries, type PolicyRow, type SeriesRow, withAdvice } from './overview.js';

const policy = (changes: Partial<PolicyRow> = {}): PolicyRow => ({
  policy_id: 'pol_01jd7e5sqcfnmrq9yh4qvxw2k3',
  name: 'deployments',
  asked: 10,
  denied: 0,
  timed_out: 0,
  votes_seen: 5,
  median_seen_ms: 3_000,
  ...changes,
});

it('advises a condition where nothing is denied and nothing is read', () => {
  expect(withAdvice(policy()).advice).toBe('consider_a_condition');
});

it.each([
  ['a denial', { denied: 1 }],
  ['people who read', { median_seen_ms: 3_001 }],
  ['too few requests', { asked: 9 }],
  ['too few votes that say it', { votes_seen: 4 }],
  ['no vote that says it', { votes_seen: 0, median_seen_ms: null }],
])('gives no advice with %s', (_what, changes) => {
  expect(withAdvice(policy(changes)).advice).toBeNull();
});

it('the series has every day, in order, and empty ones have no times', () => {
  const [first, second] = ['2026-11-28T00:00:00.000Z', '2026-11-29T00:00:00.000Z'];
  const row: SeriesRow = {
    start: '2026-11-29T00:00:00.000+00:00',
    asked: 2,
    open: 1,
    approved: 1,
    denied: 0,
    timed_out: 0,
    released: 0,
    cancelled: 0,
    median_seconds: 4,
    p95_seconds: 4,
    timeout_seconds: 60,
  };
  expect(fullSeries([first, second], [row])).toEqual([
    {
      ...row,
      start: first,
      asked: 0,
      open: 0,
      approved: 0,
      median_seconds: null,
      p95_seconds: null,
      timeout_seconds: null,
    },
    row,
  ]);
});
