import fc from 'fast-check';
import {
  CheckpointMalformed,
  formatCheckpoint,
  noteSigner,
  NoteRefused,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  verifyNote,
} from './index.js';
import { testKey } from '../test/sample-log.js';

const signer = noteSigner('example.test/log', testKey('one'));
const trusted = [parseVerifierKey(signer.verifierKey)];
const note = signer.sign('hello\nworld\n');
const code = (run: () => unknown) => {
  try {
    run();
    return undefined;
  } catch (error) {
    return error instanceof NoteRefused ? error.code : error;
  }
};

describe('a signed note', () => {
  it('opens with the key that signed it', () => {
    expect(openNote(note, trusted)).toEqual({ text: 'hello\nworld\n', signers: ['example.test/log'] });
  });

  it('does not open after any change of its text', () =>
    fc.assert(
      fc.property(fc.nat(11), fc.constantFrom('x', '\n', ' ', '\u2028'), (at, char) => {
        const text = 'hello\nworld\n';
        fc.pre(text[at] !== char);
        expect(verifyNote(note.replace(text, text.slice(0, at) + char + text.slice(at + 1)), trusted)).toBe(
          false,
        );
      }),
    ));

  it('never throws anything but a refusal, for any input', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(verifyNote(text, trusted)).toBe(false);
        expect(verifyNote(`${text}\n\n— example.test/log AAAA\n`, trusted)).toBe(false);
      }),
    ));

  it('may carry unknown signatures, but needs a trusted one', () => {
    const stranger =
      noteSigner('stranger.test', testKey('two')).sign('hello\nworld\n').split('\n\n')[1] ?? '';
    expect(openNote(note + stranger, trusted).signers).toEqual(['example.test/log']);
    expect(code(() => openNote(`hello\nworld\n\n${stranger}`, trusted))).toBe('no_trusted_signature');
  });

  it('is refused when a trusted name has another key’s signature', () => {
    const forged = noteSigner('example.test/log', testKey('two')).sign('hello\nworld\n');
    expect(code(() => openNote(forged, trusted))).toBe('no_trusted_signature');
    expect(code(() => openNote(note.replace('world', 'w0rld'), trusted))).toBe('bad_signature');
  });

  it('cannot be made of text without a final newline or with control characters', () => {
    expect(code(() => signer.sign('hello'))).toBe('malformed_note');
    expect(code(() => signer.sign('hel\tlo\n'))).toBe('malformed_note');
  });
});

describe('a verifier key', () => {
  it('is refused when its hash does not fit', () => {
    expect(code(() => parseVerifierKey(signer.verifierKey.replace('example', 'exampel')))).toBe(
      'malformed_note',
    );
    expect(code(() => parseVerifierKey('a+b+c'))).toBe('malformed_note');
  });
  it('has a name without spaces and plus signs', () => {
    expect(() => noteSigner('a b', testKey('one'))).toThrow(TypeError);
  });
});

describe('a checkpoint', () => {
  const checkpoint = { origin: 'example.test/log', size: 7, root: Buffer.alloc(32, 1) };
  it('reads back', () => {
    expect(parseCheckpoint(formatCheckpoint(checkpoint))).toEqual(checkpoint);
    expect(parseCheckpoint(`${formatCheckpoint(checkpoint)}an extension\n`)).toEqual(checkpoint);
  });
  it.each(['', 'a\n1\n', 'a\n01\nAA==\n', 'a\n1\nAA==\n', `a\n-1\n${Buffer.alloc(32).toString('base64')}\n`])(
    'is refused: %j',
    (text) => {
      expect(() => parseCheckpoint(text)).toThrow(CheckpointMalformed);
    },
  );
});
