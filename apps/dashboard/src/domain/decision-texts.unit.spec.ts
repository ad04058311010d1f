import { conditionText, runsAlone } from './condition-text.js';
import { beforeYou, deed, seatsText, votesText } from './decision-outcome.js';
import { returnPath } from './return-path.js';

it('says who was faster, and by how much', () => {
  expect([null, 400, 2_100, 200_000].map(beforeYou)).toEqual([
    'just before you',
    'just before you',
    '2 s before you',
    '3 min before you',
  ]);
  const ended = {
    status: 'denied',
    resolvedBy: 'mbr_1',
    resolvedByName: 'Jonas Weber',
    resolvedAt: null,
    reason: null,
  };
  expect(deed(ended)).toBe('Jonas Weber denied');
  expect(deed({ ...ended, resolvedBy: null })).toBeNull();
});

it('says whose votes are missing', () => {
  expect(seatsText([{ group: 'Finance', count: 1 }])).toBe('one more of Finance');
  expect(seatsText([{ group: null, count: 1 }])).toBe('one more approval');
  expect(seatsText([{ group: null, count: 2 }])).toBe('2 more approvals');
  expect(
    seatsText([
      { group: 'Finance', count: 1 },
      { group: null, count: 1 },
    ]),
  ).toBe('2 more, with Finance');
  expect(seatsText([])).toBe('');
  expect(votesText(1, 2)).toBe('1 of 2 approvals');
});

it.each([
  ['lte', 10, 'change.count ≤ 10', 'runs alone up to 10'],
  ['eq', 'eu', 'change.count = eu', 'runs alone when it is eu'],
  ['in', ['EUR', 'CHF'], 'change.count in [EUR, CHF]', 'runs alone when it is in [EUR, CHF]'],
  ['exists', true, 'change.count is there', 'runs alone when it is there'],
  ['matches', '^a', 'change.count matches ^a', 'runs alone when it matches ^a'],
])('the condition %s in words', (operator, expected, text, alone) => {
  const condition = { field: 'change.count', operator, expected, result: false };
  expect(conditionText(condition)).toBe(text);
  expect(runsAlone(condition)).toBe(alone);
});

it.each([
  [undefined, '/approvals'],
  ['/approvals/apr_1?tab=x', '/approvals/apr_1?tab=x'],
  ['https://evil.example/', '/approvals'],
  ['//evil.example/', '/approvals'],
  ['/\\evil.example', '/approvals'],
  ['/\t/evil.example', '/approvals'],
  ['/sign-in?return_to=/x', '/approvals'],
  ['/', '/approvals'],
])('returns from the sign-in to %s: %s', (wanted, path) => expect(returnPath(wanted)).toBe(path));
