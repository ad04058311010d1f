import { givenGroup, givenName, limit } from './primitives.js';

it.each([
  ['1', 1],
  ['200', 200],
  [undefined, 50],
])('a limit of %j is %d', (given, wanted) => expect(limit(200, 50).parse(given)).toBe(wanted));

it.each(['0x10', '1e2', ' 5', '+5', '-1', '0', '201', '1.5', '', 'all', '0b11', '5\n'])(
  'a limit of %j is refused',
  (given) => expect(limit(200, 50).safeParse(given).success).toBe(false),
);

describe('a name', () => {
  it.each([
    'deploy bot',
    '  deploy bot ',
    'Déploy 🚀',
    'ديبلوي',
    '部署',
    "O'Neill & co.",
    'नमस्ते ไม้ 10 € (№ 1)',
    'e\u0301quipe',
  ])('may be %j', (name) => expect(givenName().parse(name)).toBe(name.trim()));

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
    ['a space of no width', '\u200b'],
    ['a joiner', '\u200d'],
    ['a word joiner', '\u2060'],
    ['an invisible plus', '\u2064'],
    ['a mark of byte order', '\ufeff'],
    ['a soft hyphen', '\u00ad'],
    ['a Mongolian vowel separator', '\u180e'],
    ['a combining grapheme joiner', '\u034f'],
    ['a variation selector', '\ufe0f'],
    ['a supplementary variation selector', '\u{e0100}'],
    ['a tag', '\u{e0041}'],
    ['the end of tags', '\u{e007f}'],
    ['a reserved ignorable', '\u{e0000}'],
    ['a Hangul filler', '\u3164'],
    ['a blank Braille pattern', '\u2800'],
    ['a musical begin beam', '\u{1d173}'],
    ['a blank hieroglyph', '\u{13441}'],
    ['half a blank hieroglyph', '\u{13442}'],
    ['a null notehead', '\u{1d159}'],
    ['a Khitan filler', '\u{16fe4}'],
    ['an object replacement', '\ufffc'],
    ['a character of private use', '\ue000'],
    ['one of private use in another plane', '\u{10fffd}'],
    ['a character that is not assigned', '\u0378'],
    ['one that is not assigned in another plane', '\u{3fffd}'],
    ['a noncharacter', '\ufdd0'],
    ['the last code point', '\u{10ffff}'],
    ['the first half of a pair', '\ud83d'],
    ['the second half of a pair', '\ude80'],
    ['a space that does not break', '\u00a0'],
    ['a hair space', '\u200a'],
  ])('may not contain %s', (_what, character) => {
    for (const name of [`de${character}ploy`, `deploy${character}`, `${character}deploy`, character])
      expect(givenName().safeParse(name).success).toBe(false);
  });

  it.each([
    ['bot\u200b', 'U+200B'],
    ['\u00adbot', 'U+00AD'],
    ['b\u{e0041}ot', 'U+E0041'],
    ['bot\n', 'U+000A'],
    ['b\u{13441}ot', 'U+13441'],
    ['bot\ud83d', 'U+D83D'],
    ['\u0301bot', 'U+0301'],
    [' \u0301bot', 'U+0301'],
    ['\u20ddbot', 'U+20DD'],
    ['\u0903bot', 'U+0903'],
  ])('that is refused says which character it is about: %j', (name, code) => {
    for (const schema of [givenName(), givenGroup()])
      expect(schema.safeParse(name).error?.issues[0]?.message).toContain(`the character ${code},`);
  });
});
