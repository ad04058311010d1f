import { firstInvisibleCharacter } from '@agentlattice/contracts';
import fc from 'fast-check';
import { safeJson, safeText, shortText } from './safe-text.js';

it.each([
  ['\u001b[31mred\u001b[0m', '\\x1b[31mred\\x1b[0m'],
  ['a\u009b31m', 'a\\x9b31m'],
  ['one\r\ntwo\tthree\u0000\u007f', 'one\\r\\ntwo\\tthree\\x00\\x7f'],
  ['pay \u202e001\u202c € to \u2066bob\u2069', 'pay \\u{202e}001\\u{202c} € to \\u{2066}bob\\u{2069}'],
  ['zero\u200bwidth\u200djoiner\ufeff', 'zero\\u{200b}width\\u{200d}joiner\\u{feff}'],
  ['line\u2028separator', 'line\\u{2028}separator'],
  ['tag\u{e0041}s and \u3164fillers\u2800', 'tag\\u{e0041}s and \\u{3164}fillers\\u{2800}'],
  ['lone \ud800 surrogate', 'lone \\u{d800} surrogate'],
  ['a\u034fb\u17b4\u17b5c\u180b\u180d\u180f', 'a\\u{34f}b\\u{17b4}\\u{17b5}c\\u{180b}\\u{180d}\\u{180f}'],
  ['a\ufe00b\ufe0fc\u{e0100}\u{e01ef}', 'a\\u{fe00}b\\u{fe0f}c\\u{e0100}\\u{e01ef}'],
  ['❤\ufe0f\ufe0f ❤\ufe0e 1\ufe0f', '❤\ufe0f\\u{fe0f} ❤\\u{fe0e} 1\\u{fe0f}'],
  ['\ufdd0 \uffff \u{1fffe} \u{10ffff}', '\\u{fdd0} \\u{ffff} \\u{1fffe} \\u{10ffff}'],
])('makes the hidden characters of %j visible', (text, shown) => expect(safeText(text)).toBe(shown));

it('makes every character visible that a name may not hold', () => {
  let text = '';
  // A letter between them: a mark is seen behind it, and no two make an emoji.
  const planes = [0, 1, 0xe].map((plane) => plane * 0x10000);
  for (const first of planes)
    for (let code = first; code <= first + 0xffff; code += 1) text += `${String.fromCodePoint(code)}a`;
  expect(firstInvisibleCharacter(text)).toBeDefined();
  expect(firstInvisibleCharacter(`a${safeText(text)}`)).toBeUndefined();
});

it.each(['Déploy "bot" – 部署 – نشر', '👩‍🚀 👨‍👩‍👧 👍🏽 ❤️‍🔥 🏳️‍🌈 1️⃣ #️⃣', 'C:\\path %s {{x}}'])(
  'leaves %s unchanged',
  (text) => expect(safeText(text)).toBe(text),
);

it('never outputs a control character, for any text', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(safeText(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
      expect(safeJson(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
    }),
  ));

it('writes JSON that is the same value', () =>
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const same: unknown = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(safeJson(value, 2))).toEqual(same);
    }),
  ));

it('cuts between characters as people see them', () => {
  expect(shortText('👩‍🚀👩‍🚀👩‍🚀', 2)).toBe('👩‍🚀…');
  expect(shortText('abc', 3)).toBe('abc');
});
