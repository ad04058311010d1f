import fc from 'fast-check';
import { plainFormOf } from './agent-name.js';

describe('the plain form of a name', () => {
  it.each([
    ['case', 'Deploy Bot', 'deploy bot'],
    ['sharp s', 'Straße', 'STRASSE'],
    ['a final sigma', 'ΒΟΣ', 'βος'],
    ['width', 'ｂｏｔ', 'bot'],
    ['a ligature', 'oﬃce', 'office'],
    ['composition', 'caf\u00e9', 'cafe\u0301'],
    ['a circle', 'bot①', 'bot1'],
    ['a space of no width', 'bot\u200b', 'bot'],
    ['a variation selector', 'bot\ufe0f', 'bot'],
    ['a tag', 'b\u{e0041}ot', 'bot'],
    ['a space that does not break', 'deploy\u00a0bot', 'deploy bot'],
    ['spaces', ' deploy   bot', 'deploy bot'],
    ['an end of line', 'deploy\nbot', 'deploy bot'],
    ['a mark of byte order', 'bot\ufeff', 'bot'],
    ['a blank hieroglyph', 'bot\u{13441}', 'bot'],
    ['a null notehead', 'b\u{1d159}ot', 'bot'],
    ['a Khitan filler', 'b\u{16fe4}ot', 'bot'],
    ['an object replacement', '\ufffcbot', 'bot'],
    ['a character of private use', 'bot\ue000', 'bot'],
    ['one that is not assigned', 'bot\u0378', 'bot'],
    ['half a pair', 'bot\ud83d', 'bot'],
  ])('is not changed by %s', (_what, one, other) => expect(plainFormOf(one)).toBe(plainFormOf(other)));

  it.each([
    ['other letters', 'bot', 'bat'],
    ['a letter of another script', 'bot', 'b\u043et'],
    ['an accent', 'resume', 'résumé'],
    ['a digit', 'bot 1', 'bot 2'],
  ])('is changed by %s', (_what, one, other) => expect(plainFormOf(one)).not.toBe(plainFormOf(other)));

  it('is the same for every composition of a name, and short enough for an index', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (name) => {
        const form = plainFormOf(name);
        for (const how of ['NFC', 'NFD', 'NFKC', 'NFKD']) expect(plainFormOf(name.normalize(how))).toBe(form);
        expect(Buffer.byteLength(form)).toBeLessThanOrEqual(2_000);
        expect(form.isWellFormed()).toBe(true);
      }),
    );
  });
});
