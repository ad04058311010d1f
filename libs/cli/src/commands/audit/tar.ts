/** The part of the format that an archive of a log needs: regular files (POSIX ustar). */

const block = 512;
/** A file is held in memory as a whole, and an archive comes from others. */
const largestFile = 256 * 1024 * 1024;

/** An archive that is not in this form. */
export class ArchiveDamaged extends Error {
  override readonly name = 'ArchiveDamaged';
}

const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, '0')}\0`;

/** A file as its blocks. */
export function tarFile(name: string, content: Uint8Array): Buffer {
  const header = Buffer.alloc(block);
  const fields: readonly (readonly [at: number, text: string])[] = [
    [0, name],
    [100, octal(0o644, 8)],
    [108, octal(0, 8)],
    [116, octal(0, 8)],
    [124, octal(content.length, 12)],
    [136, octal(0, 12)],
    // The checksum counts as spaces while it is made.
    [148, ' '.repeat(8)],
    [156, '0'],
    [257, 'ustar\x0000'],
  ];
  if (Buffer.byteLength(name) > 100) throw new RangeError('a name in the archive has at most 100 bytes');
  for (const [at, text] of fields) header.write(text, at, 'latin1');
  header.write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (block - 1))]);
}

/** What ends an archive. */
export const tarEnd = (): Buffer => Buffer.alloc(2 * block);

const sumOf = (header: Buffer) => header.reduce((sum, byte) => sum + byte, 0);

export interface TarredFile {
  readonly name: string;
  readonly content: Buffer;
}

/**
 * The files of an archive, one after the other.
 * @throws ArchiveDamaged
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarredFile> {
  const source = new Bytes(chunks);
  for (;;) {
    const header = await source.take(block);
    if (header === null) throw new ArchiveDamaged('the archive ends in the middle');
    if (header.every((byte) => byte === 0)) {
      await source.onlyZeros();
      return;
    }
    const { name, size } = readHeader(header);
    const content = await source.take(size);
    const padding = await source.take(-size & (block - 1));
    if (content === null || padding === null)
      throw new ArchiveDamaged(`the archive ends in the middle of ${name}`);
    yield { name, content };
  }
}

function readHeader(header: Buffer): { name: string; size: number } {
  const text = (at: number, length: number) =>
    header
      .toString('latin1', at, at + length)
      .replace(/\0[^]*$/, '')
      .trim();
  const number = (at: number, length: number) => {
    const given = text(at, length);
    return /^[0-7]{1,12}$/.test(given) ? Number.parseInt(given, 8) : Number.NaN;
  };
  const blank = Buffer.from(header);
  blank.fill(' ', 148, 156);
  if (number(148, 8) !== sumOf(blank)) throw new ArchiveDamaged('a header of the archive is damaged');
  const [name, size, type] = [text(0, 100), number(124, 12), header.toString('latin1', 156, 157)];
  if ((type !== '0' && type !== '\0') || text(345, 155) !== '')
    throw new ArchiveDamaged('the archive holds something that is no plain file');
  if (!(size <= largestFile)) throw new ArchiveDamaged(`${JSON.stringify(name)} is too large`);
  return { name, size };
}

/** Takes pieces of a given length out of chunks of any length. */
class Bytes {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private held: Uint8Array = new Uint8Array();

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.chunks = chunks[Symbol.asyncIterator]();
  }

  /** Reads on to the end. @throws ArchiveDamaged where something else follows: other programs could take it for a part */
  async onlyZeros(): Promise<void> {
    for (let next = this.held; ;) {
      if (next.some((byte) => byte !== 0))
        throw new ArchiveDamaged('something follows the end of the archive');
      const more = await this.chunks.next();
      if (more.done === true) return;
      next = more.value;
    }
  }

  /** @returns null when there are fewer */
  async take(length: number): Promise<Buffer | null> {
    const parts: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.held.length === 0) {
        const next = await this.chunks.next();
        if (next.done === true) return null;
        this.held = next.value;
        continue;
      }
      const part = this.held.subarray(0, missing);
      this.held = this.held.subarray(part.length);
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts, length);
  }
}
