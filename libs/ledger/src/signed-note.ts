import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

const ed25519 = 1;
const keyIdBytes = 4;
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const maxSignatures = 100;

export type NoteFault = 'malformed_note' | 'no_trusted_signature' | 'bad_signature';

/** A note that is not in the form of C2SP signed-note, or that no trusted key has signed. */
export class NoteRefused extends Error {
  constructor(
    readonly code: NoteFault,
    detail: string,
  ) {
    super(detail);
    this.name = 'NoteRefused';
  }
}

/** A key that notes are checked with. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: Buffer;
  readonly publicKey: KeyObject;
}

/** A key that notes are signed with; `verifierKey` is what auditors get. */
export interface NoteSigner {
  readonly name: string;
  readonly verifierKey: string;
  sign(text: string): string;
}

const isName = (name: string) => name !== '' && name.isWellFormed() && !/[\s+]/u.test(name);

/** First four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key), C2SP signed-note. */
const keyIdOf = (name: string, rawPublicKey: Uint8Array) =>
  createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(ed25519))
    .update(rawPublicKey)
    .digest()
    .subarray(0, keyIdBytes);

const rawPublicKey = (key: KeyObject): Buffer => {
  if (key.asymmetricKeyType !== 'ed25519') throw new TypeError('notes are signed with Ed25519');
  const der = (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return der.subarray(spkiPrefix.length);
};

/** The verifier key `name+hash+base64` of an Ed25519 key (C2SP signed-note). */
export function verifierKeyOf(name: string, key: KeyObject): string {
  if (!isName(name)) throw new TypeError('a key name has no spaces and no plus sign');
  const raw = rawPublicKey(key);
  const encoded = Buffer.concat([Uint8Array.of(ed25519), raw]).toString('base64');
  return `${name}+${keyIdOf(name, raw).toString('hex')}+${encoded}`;
}

/**
 * Reads a verifier key.
 * @throws NoteRefused (`malformed_note`)
 */
export function parseVerifierKey(text: string): NoteVerifier {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text.trim());
  const [, name = '', id = '', encoded = ''] = match ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (match === null || bytes.length !== 33 || bytes[0] !== ed25519 || bytes.toString('base64') !== encoded)
    throw new NoteRefused('malformed_note', 'verifier key is not name+hash+base64 of an Ed25519 key');
  const raw = bytes.subarray(1);
  const keyId = keyIdOf(name, raw);
  if (keyId.toString('hex') !== id)
    throw new NoteRefused('malformed_note', 'hash of verifier key does not fit it');
  const publicKey = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  return { name, keyId, publicKey };
}

/** A signer under the given name. One key may sign under several names; each makes another key id. */
export function noteSigner(name: string, privateKey: KeyObject): NoteSigner {
  const verifierKey = verifierKeyOf(name, privateKey);
  const keyId = keyIdOf(name, rawPublicKey(privateKey));
  return {
    name,
    verifierKey,
    sign(text) {
      if (!isNoteText(text))
        throw new NoteRefused(
          'malformed_note',
          'text of a note ends with a newline and has no control characters',
        );
      const signature = Buffer.concat([keyId, sign(null, Buffer.from(text), privateKey)]);
      return `${text}\n— ${name} ${signature.toString('base64')}\n`;
    },
  };
}

/** A note that several keys have signed, the first one in the first line. */
export function signWithAll(
  text: string,
  [first, ...others]: readonly [NoteSigner, ...NoteSigner[]],
): string {
  const lines = others.map((signer) => signer.sign(text).slice(text.length + 1));
  return `${first.sign(text)}${lines.join('')}`;
}

/** Whether the note says that this key has signed it; the signature itself is not checked. */
export function namesSigner(note: string, { name, keyId }: NoteVerifier): boolean {
  return note
    .slice(note.lastIndexOf('\n\n') + 2)
    .split('\n')
    .some((line) => {
      const [dash, signer, encoded = ''] = line.split(' ');
      return (
        dash === '—' &&
        signer === name &&
        Buffer.from(encoded, 'base64').subarray(0, keyIdBytes).equals(keyId)
      );
    });
}

// eslint's no-control-regex is against accidental control characters; here they are intended.
const isNoteText = (text: string) => text.endsWith('\n') && text.isWellFormed() && !/[^\P{Cc}\n]/u.test(text);

/**
 * Opens a signed note. Input from outside is hostile.
 * @returns its text and the names of the trusted keys that signed it, at least one
 * @throws NoteRefused: `malformed_note`, `bad_signature` (a trusted key's signature does not fit), `no_trusted_signature`
 */
export function openNote(
  note: string,
  trusted: readonly NoteVerifier[],
): { text: string; signers: string[] } {
  const at = note.lastIndexOf('\n\n');
  const text = note.slice(0, at + 1);
  const lines = note.slice(at + 2).split('\n');
  if (at < 0 || !isNoteText(text) || lines.pop() !== '' || lines.length === 0 || lines.length > maxSignatures)
    throw new NoteRefused(
      'malformed_note',
      'note has no text, no signatures, or does not end with a newline',
    );
  const message = Buffer.from(text);
  const signers: string[] = [];
  for (const line of lines) {
    const { name, keyId, signature } = parseSignatureLine(line);
    const key = trusted.find((known) => known.name === name && known.keyId.equals(keyId));
    if (key === undefined) continue;
    if (!verify(null, message, key.publicKey, signature))
      throw new NoteRefused('bad_signature', `signature of ${name} does not fit the note`);
    if (!signers.includes(name)) signers.push(name);
  }
  if (signers.length === 0)
    throw new NoteRefused('no_trusted_signature', 'no trusted key has signed the note');
  return { text, signers };
}

function parseSignatureLine(line: string): { name: string; keyId: Buffer; signature: Buffer } {
  const [, name = '', encoded = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/=]+)$/u.exec(line) ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (name === '' || bytes.length <= keyIdBytes || bytes.toString('base64') !== encoded)
    throw new NoteRefused('malformed_note', 'note has a malformed signature line');
  return { name, keyId: bytes.subarray(0, keyIdBytes), signature: bytes.subarray(keyIdBytes) };
}

/** Whether at least one of the trusted keys has signed the note and none of their signatures is wrong. */
export function verifyNote(note: string, trusted: readonly NoteVerifier[]): boolean {
  try {
    openNote(note, trusted);
    return true;
  } catch (error) {
    if (error instanceof NoteRefused) return false;
    throw error;
  }
}
