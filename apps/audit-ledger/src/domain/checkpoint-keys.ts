import {
  namesSigner,
  noteSigner,
  type NoteVerifier,
  parseVerifierKey,
  signWithAll,
  verifierKeyOf,
} from '@agentlattice/ledger';

type Key = Parameters<typeof verifierKeyOf>[1];

/** `SigningKeys` of the folder of keys. */
interface Keys {
  readonly signing: Key;
  readonly previous: Key | null;
  readonly further: readonly Key[];
}

/** The keys of checkpoints. Each log has names of its own for them, because its origin is part of a verifier key. */
export interface CheckpointKeys {
  /** Signed by the present key, and by the one before it while its private half is there. */
  sign(origin: string, text: string): string;
  /** The present key for auditors. */
  verifierKey(origin: string): string;
  /** Whether the present key has signed the note; the signature itself is not checked. */
  isSigned(origin: string, note: string): boolean;
  /** The key for auditors that has signed the note, the present one if it has; null when none of ours has. */
  signerOf(origin: string, note: string): string | null;
  /** All keys, also those of before and those to come. */
  trusted(origin: string): NoteVerifier[];
}

export function checkpointKeys({ signing, previous, further }: Keys): CheckpointKeys {
  const all = (origin: string) => [signing, ...further].map((key) => verifierKeyOf(origin, key));
  const names = (note: string, key: string) => namesSigner(note, parseVerifierKey(key));
  return {
    sign: (origin, text) =>
      signWithAll(text, [
        noteSigner(origin, signing),
        ...(previous === null ? [] : [noteSigner(origin, previous)]),
      ]),
    verifierKey: (origin) => verifierKeyOf(origin, signing),
    isSigned: (origin, note) => names(note, verifierKeyOf(origin, signing)),
    signerOf: (origin, note) => all(origin).find((key) => names(note, key)) ?? null,
    trusted: (origin) => all(origin).map(parseVerifierKey),
  };
}
