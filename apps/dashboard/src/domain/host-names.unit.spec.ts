import { partsWithHosts } from './host-names.js';
import { segmentsOf } from './hostile-text.js';

const names = (text: string) => partsWithHosts(text).flatMap(({ ascii }) => (ascii === null ? [] : [ascii]));

it.each([
  ['https://b\u00fccher.example/pfad?x=1', ['xn--bcher-kva.example']],
  ['https://user:word@p\u0430ypal.com:8443/', ['xn--pypal-4ve.com']],
  ['mail kim@b\u00fccher.example, now', ['xn--bcher-kva.example']],
  ['\u4f8b\u3048.jp', ['xn--r8jz45g.jp']],
  ['https://a\u00fc.example and https://o\u00f6.example', ['xn--a-eha.example', 'xn--o-1ga.example']],
  ['https://plain.example', []],
  ['Sch\u00f6n.Wirklich, sagte sie', []],
  ['one sentence.Gr\u00fc\u00dfe', []],
])('of %s the host names are %j', (text, expected) => expect(names(text)).toEqual(expected));

it('loses nothing of the text', () => {
  for (const text of ['x https://b\u00fccher.example/y z', '@\u00fc.\u00fc', '', '\u00fc', 'a@\u00fc.de\n b'])
    expect(
      partsWithHosts(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
});

it('stands beside the name, whose foreign letters are marked', () => {
  expect(segmentsOf('https://p\u0430ypal.com/a').map(({ kind }) => kind)).toEqual([
    'text',
    'look_alike',
    'text',
    'host',
    'text',
  ]);
});
