import { spanText } from './time-text.js';

it.each([
  [-5, '0s'],
  [999, '0s'],
  [45_000, '45s'],
  [60_000, '1m'],
  [61_000, '1m 01s'],
  [3_600_000, '1h'],
  [3_900_000, '1h 05m'],
  [90_000_000, '1d 01h'],
])('%d ms are %s', (ms, text) => expect(spanText(ms)).toBe(text));
