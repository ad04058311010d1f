import { limit } from './primitives.js';

it.each([
  ['1', 1],
  ['200', 200],
  [undefined, 50],
])('a limit of %j is %d', (given, wanted) => expect(limit(200, 50).parse(given)).toBe(wanted));

it.each(['0x10', '1e2', ' 5', '+5', '-1', '0', '201', '1.5', '', 'all', '0b11', '5\n'])(
  'a limit of %j is none',
  (given) => expect(limit(200, 50).safeParse(given).success).toBe(false),
);
