import { givenName, limit } from './primitives.js';

it.each([
  ['1', 1],
  ['200', 200],
  [undefined, 50],
])('a limit of %j is %d', (given, wanted) => expect(limit(200, 50).parse(given)).toBe(wanted));

it.each(['0x10', '1e2', ' 5', '+5', '-1', '0', '201', '1.5', '', 'all', '0b11', '5\n'])(
  'a limit of %j is none',
  (given) => expect(limit(200, 50).safeParse(given).success).toBe(false),
);

describe('a name', () => {
  it.each(['deploy bot', '  deploy bot ', 'Déploy 🚀', 'ديبلوي', '部署', "O'Neill & co."])(
    'may be %j',
    (name) => expect(givenName().parse(name)).toBe(name.trim()),
  );

  it.each([
    ['a NUL', '\0'],
    ['an escape', '\u001b'],
    ['a tab', '\t'],
    ['an end of line', '\n'],
    ['DEL', '\u007f'],
    ['NEL', '\u0085'],
    ['the last C1 control', '\u009f'],
    ['a line separator', '\u2028'],
    ['a paragraph separator', '\u2029'],
    ['an override of direction', '\u202e'],
    ['an isolate', '\u2066'],
    ['a mark of direction', '\u200f'],
  ])('holds %s nowhere', (_what, character) => {
    for (const name of [`de${character}ploy`, `deploy${character}`, `${character}deploy`, character])
      expect(givenName().safeParse(name).success).toBe(false);
  });
});
