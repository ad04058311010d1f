import {
  createVerifier,
  type Disclosed,
  type LogVerifier,
  NoteRefused,
  type NoteVerifier,
  openNote,
  parseCheckpoint,
  parseVerifierKey,
  verifierKeyOf,
  CheckpointMalformed,
  type FaultCode,
} from '@agentlattice/ledger';
import type { TarredFile } from './tar.js';

/**
 * Kinds of damage: those of the log format (libs/ledger/SPEC.md §5), and of an archive: a file that is missing, out of place or cannot
 * be read, and a key that is no key or not the trusted one.
 */
export type DamageCode = FaultCode | 'damaged_archive' | 'bad_key' | 'foreign_key';

export interface Damage {
  readonly ok: false;
  readonly code: DamageCode;
  /** The first bad entry, from 0; null: not an entry. */
  readonly at: number | null;
  readonly since?: number;
  readonly detail: string;
}

export interface Intact {
  readonly ok: true;
  readonly log: string | null;
  readonly size: number;
  readonly root: string;
  /** The key that signed the checkpoint. */
  readonly key: string;
  /** How many entries have values in the archive, and how many of the others commit to some: erased or withheld. */
  readonly disclosed: number;
  readonly undisclosed: number;
}

const lineFeed = 10;
/** How many entries are read behind the signed end: enough to tell what was put in; an archive without end is not read to it. */
const mostUnsigned = 10_000;
const damage = (code: DamageCode, at: number | null, detail: string): Damage => ({
  ok: false,
  code,
  at,
  detail,
});

/** Names of the files of an archive, in their order: the key, the checkpoint, then blocks of values and entries in turn. */
export const fileNames = {
  key: 'key.txt',
  checkpoint: 'checkpoint.txt',
  disclosed: (number: number) => `disclosed/${String(number).padStart(6, '0')}.ndjson`,
  entries: (number: number) => `entries/${String(number).padStart(6, '0')}.ndjson`,
} as const;

/** Checks the files of an archive one after the other. Only one block of entries is in memory. */
export class ArchiveCheck {
  private key: NoteVerifier | null = null;
  private keyText = '';
  /** The trusted key is not the one in the archive; after a rotation both have signed the checkpoint. */
  private isOtherKey = false;
  private note: string | null = null;
  private verifier: LogVerifier | null = null;
  private contents = new Map<string, Disclosed>();
  private found: Damage | null = null;
  /** Counts only where the entries are sound: an entry that was taken out leaves its values behind. */
  private later: Damage | null = null;
  private isOver = false;
  private blocks = 0;
  private hasValues = false;
  /** How many entries the checkpoint covers; null before it was read. */
  covered: number | null = null;
  checked = 0;
  private disclosed = 0;
  private undisclosed = 0;

  /** @param trusted the key that the caller trusts; null: the one in the archive */
  constructor(private readonly trusted: NoteVerifier | null) {}

  /** Takes the next file; false when nothing more needs to be read. */
  take({ name, content }: TarredFile): boolean {
    if (this.found !== null || this.isOver) return false;
    if (this.key === null) this.takeKey(name, content);
    else if (this.verifier === null) this.takeCheckpoint(name, content);
    else if (name === fileNames.disclosed(this.blocks) && !this.hasValues) this.takeValues(name, content);
    else if (name === fileNames.entries(this.blocks) && this.hasValues) this.takeEntries(name, content);
    else
      this.found = damage('damaged_archive', null, `${JSON.stringify(name)} stands where it does not belong`);
    return this.found === null && !this.isOver;
  }

  /** The verdict on everything that was taken. @param readFault why the archive could not be read to its end */
  finish(readFault: string | null = null): Intact | Damage {
    if (this.found !== null) return this.found;
    const { verifier, key, note, covered } = this;
    if (verifier === null || key === null || note === null)
      return damage(
        'damaged_archive',
        null,
        readFault ?? `${this.key === null ? fileNames.key : fileNames.checkpoint} is missing`,
      );
    const verdict = verifier.finish({ checkpoints: [note], trusted: [key] });
    // What was read before the archive broke off may show an earlier fault than that.
    if (!verdict.ok && !(readFault !== null && verdict.code === 'truncated')) return verdict;
    if (readFault !== null || !verdict.ok)
      return damage(
        'damaged_archive',
        this.checked,
        `${readFault ?? ''}; ${String(this.checked)} entries before that fit together`,
      );
    const signed = covered ?? 0;
    if (verdict.size > signed)
      return damage(
        'inserted',
        signed,
        `the signed log has ${String(signed)} entries, here are ${String(verdict.size)}`,
      );
    if (this.later !== null) return this.later;
    if (this.hasValues)
      return damage('damaged_archive', null, `${fileNames.entries(this.blocks)} is missing`);
    const { log, size, root } = verdict;
    return {
      ok: true,
      log,
      size,
      root,
      key: this.keyText,
      disclosed: this.disclosed,
      undisclosed: this.undisclosed,
    };
  }

  private takeKey(name: string, content: Buffer): void {
    if (name !== fileNames.key) {
      this.found = damage(
        'damaged_archive',
        null,
        `the archive begins with ${JSON.stringify(name)} and not with ${fileNames.key}`,
      );
      return;
    }
    const inArchive = readKey(content.toString('utf8'));
    if (inArchive === null) {
      this.found = damage('bad_key', null, `${fileNames.key} is no verifier key`);
      return;
    }
    const wanted = this.trusted ?? inArchive;
    this.isOtherKey = wanted.name !== inArchive.name || !wanted.publicKey.equals(inArchive.publicKey);
    this.key = wanted;
    this.keyText = verifierKeyOf(wanted.name, wanted.publicKey);
  }

  private takeCheckpoint(name: string, content: Buffer): void {
    if (name !== fileNames.checkpoint || this.key === null) {
      this.found = damage('damaged_archive', null, `${fileNames.checkpoint} is missing`);
      return;
    }
    const note = content.toString('utf8');
    try {
      const { origin, size } = parseCheckpoint(openNote(note, [this.key]).text);
      this.note = note;
      this.covered = size;
      this.verifier = createVerifier({
        log: origin,
        sizes: [size],
        disclosed: (id) => this.contentOf(id),
      });
    } catch (error) {
      if (!(error instanceof NoteRefused) && !(error instanceof CheckpointMalformed)) throw error;
      const isForm = error instanceof CheckpointMalformed || error.code === 'malformed_note';
      this.found =
        this.isOtherKey && !isForm && error.code === 'no_trusted_signature'
          ? damage('foreign_key', null, 'the checkpoint is not signed by the key that you trust')
          : damage(isForm ? 'bad_checkpoint' : 'bad_signature', null, error.message);
    }
  }

  private takeValues(name: string, content: Buffer): void {
    this.hasValues = true;
    this.contents = new Map();
    try {
      for (const line of linesOf(content)) {
        const read = JSON.parse(line.toString('utf8')) as { id?: unknown; fields?: unknown } | null;
        const { id, fields } = read ?? {};
        if (typeof id !== 'string' || this.contents.has(id) || !isDisclosed(fields))
          throw new SyntaxError(name);
        this.contents.set(id, fields);
      }
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      this.found = damage('damaged_archive', null, `${name} cannot be read`);
    }
  }

  private takeEntries(name: string, content: Buffer): void {
    this.hasValues = false;
    this.blocks++;
    for (const line of linesOf(content)) {
      // The verdict on a broken log can depend on what follows, so reading goes on.
      this.verifier?.push(line);
      this.checked++;
      if (this.checked < (this.covered ?? 0) + mostUnsigned) continue;
      this.isOver = true;
      return;
    }
    if (content.length > 0 && content.at(-1) !== lineFeed)
      this.later ??= damage('damaged_archive', this.checked - 1, `${name} ends in the middle of a line`);
    const [stray] = this.contents.keys();
    if (stray !== undefined)
      this.later ??= damage(
        'commitment_mismatch',
        null,
        `values are disclosed for ${stray}, which is not there`,
      );
  }

  /** A value is used once; what is left at the end of a block belongs to no entry of it. */
  private contentOf(id: string): Disclosed | undefined {
    const content = this.contents.get(id);
    this.contents.delete(id);
    if (content === undefined) this.undisclosed++;
    else this.disclosed++;
    return content;
  }
}

/** @returns null for a text that is no verifier key */
export function readKey(text: string): NoteVerifier | null {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (error instanceof NoteRefused) return null;
    throw error;
  }
}

/** The lines; what stands behind the last line feed is one too. */
export function* linesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length;) {
    const end = content.indexOf(lineFeed, at);
    yield content.subarray(at, end === -1 ? content.length : end);
    at = end === -1 ? content.length : end + 1;
  }
}

const isDisclosed = (fields: unknown): fields is Disclosed =>
  typeof fields === 'object' &&
  fields !== null &&
  !Array.isArray(fields) &&
  Object.values(fields).every(
    (field: unknown) =>
      typeof field === 'object' &&
      field !== null &&
      typeof (field as { salt?: unknown }).salt === 'string' &&
      typeof (field as { value?: unknown }).value === 'string',
  );
