import fc from 'fast-check';
import { type Segment, segmentsOf } from './hostile-text.js';

const shown = (text: string) => segmentsOf(text).map(short).join('');
function short(segment: Segment): string {
  switch (segment.kind) {
    case 'text':
      return segment.text;
    case 'code_point':
      return `[${segment.label} ${segment.name}]`;
    case 'look_alike':
      return `<${segment.text} ${segment.label} ${segment.name}>`;
    case 'host':
      return `[${segment.name}]`;
    case 'spaces':
      return `[${String(segment.count)} spaces]`;
    case 'blank_lines':
      return `[${String(segment.count)} blank lines]`;
  }
}

it.each([
  ['turned text', 'abc\u202Efdp.exe', 'abc[U+202E right-to-left override]fdp.exe'],
  ['zero width', 'pay\u200Bpal', 'pay[U+200B zero width space]pal'],
  ['tags', 'a\u{E0041}', 'a[U+E0041 invisible tag character]'],
  ['a variation selector', '\u2764\uFE0F', '\u2764[U+FE0F variation selector]'],
  ['a lone surrogate', 'a\uD800b', 'a[U+D800 unpaired surrogate]b'],
  ['private use', '\uE000', '[U+E000 private use character]'],
  ['controls', 'a\u0000\u001B[31m\r', 'a[U+0000 null][U+001B escape][31m[U+000D carriage return]'],
  ['a separator of lines', 'a\u2028b', 'a[U+2028 line separator]b'],
  ['an invisible letter', 'a\u3164b', 'a[U+3164 Hangul filler]b'],
  [
    'more than two marks on a letter',
    'e\u0301\u0302\u0303\u0304',
    'e\u0301\u0302[U+0303 combining mark][U+0304 combining mark]',
  ],
  ['a Cyrillic letter in a Latin word', 'N\u043Erthwind', 'N<\u043E U+043E Cyrillic letter>rthwind'],
  ['a Greek letter in a Latin word', 'p\u03B1y', 'p<\u03B1 U+03B1 Greek letter>y'],
])('%s is marked', (_what, text, expected) => expect(shown(text)).toBe(expected));

it('counts runs of more than eight spaces and of more than three blank lines', () => {
  expect(shown(`a${' '.repeat(8)}b`)).toBe(`a${' '.repeat(8)}b`);
  expect(shown(`a${' '.repeat(40)}b`)).toBe('a[40 spaces]b');
  expect(shown(`a${'\n'.repeat(4)}b`)).toBe('a\n\n\n\nb');
  expect(shown(`a${'\n'.repeat(21)}b`)).toBe('a\n[20 blank lines]\nb');
});

it.each([
  'deploy.production',
  'Größe: 14 µm',
  'Привет, мир',
  'Ελληνικά',
  '東京タワー',
  '서울 Seoul',
  'שלום',
  'a\tb'.replace('\t', ' '),
  '\tindented\n\t\tmore',
  'ordinary\ntext\n\nin lines',
])('%j stays as it is', (text) => expect(segmentsOf(text).every(({ kind }) => kind === 'text')).toBe(true));

it('shows no character that is invisible or turns the text, whatever is sent', () => {
  const invisible = /[\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}\p{Variation_Selector}]|[^\P{Cc}\n\t]/u;
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      for (const segment of segmentsOf(text))
        if ('text' in segment) expect(invisible.test(segment.text)).toBe(false);
    }),
  );
});

it('loses nothing of a text but what it counts', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      const again = segmentsOf(text).map((segment) => {
        if (segment.kind === 'code_point') return String.fromCodePoint(parseInt(segment.label.slice(2), 16));
        return 'text' in segment ? segment.text : '';
      });
      if (!/[\p{Zs}]{9}|\n\s*\n\s*\n\s*\n\s*\n/u.test(text)) expect(again.join('')).toBe(text);
    }),
  );
});
