import { agoText, durationText, groupOf, timeLeftSpoken, timeLeftText, urgencyOf } from './time-left.js';

const s = 1_000;
const min = 60 * s;
const h = 60 * min;
const d = 24 * h;

it.each([
  [2 * d + 3 * h + 59 * min, '2 d 3 h', '2 days 3 hours'],
  [7 * h + 40 * min + 59 * s, '7 h 40 min', '7 hours 40 minutes'],
  [24 * min + 59 * s, '24 min', '24 minutes'],
  [10 * min, '10 min', '10 minutes'],
  [10 * min - 1, '9:59', '9 minutes 59 seconds'],
  [4 * min + 10 * s + 999, '4:10', '4 minutes 10 seconds'],
  [61 * s, '1:01', '1 minute 1 second'],
  [59 * s, '0:59', '59 seconds'],
  [0, '0:00', '0 seconds'],
  [-5 * s, '0:00', '0 seconds'],
])('%i ms: %s, spoken %s', (ms, text, spoken) => {
  expect(timeLeftText(ms)).toBe(text);
  expect(timeLeftSpoken(ms)).toBe(spoken);
});

it('is soon under 5 minutes or half of the window, and now under 2 minutes or a fifth of it', () => {
  expect(urgencyOf(5 * min, h)).toBe('calm');
  expect(urgencyOf(5 * min - 1, h)).toBe('soon');
  expect(urgencyOf(2 * min - 1, h)).toBe('now');
  expect(urgencyOf(60 * s, 2 * min)).toBe('calm');
  expect(urgencyOf(60 * s - 1, 2 * min)).toBe('soon');
  expect(urgencyOf(24 * s - 1, 2 * min)).toBe('now');
});

it('groups by deadline', () => {
  expect([5 * min - 1, 5 * min, h - 1, h].map(groupOf)).toEqual([
    'under_5_minutes',
    'under_1_hour',
    'under_1_hour',
    'later',
  ]);
});

it('says durations and the past in short', () => {
  expect([30 * min, 90 * s, 45 * s, 8 * h, 90 * min].map(durationText)).toEqual([
    '30 min',
    '1 min 30 s',
    '45 s',
    '8 h',
    '1 h 30 min',
  ]);
  expect([5 * s, 28 * min, 3 * h, d, 3 * d].map(agoText)).toEqual([
    'just now',
    '28 min ago',
    '3 h ago',
    '1 day ago',
    '3 days ago',
  ]);
});
