import { readFileSync } from 'node:fs';
import { fileNames, linesOf } from '../src/commands/audit/archive-check.js';
import { tarEnd, tarFile, type TarredFile } from '../src/commands/audit/tar.js';

/** A frozen vector of the log format. */
export const vector = (name: string): Buffer =>
  readFileSync(new URL(`../../ledger/testdata/${name}`, import.meta.url));

export const entryLines = (): string[] =>
  [...linesOf(vector('log.ndjson'))].map((line) => line.toString('utf8'));

interface Parts {
  readonly lines: readonly string[];
  readonly disclosed: Record<string, unknown>;
  readonly key: string;
  readonly checkpoint: string;
}

const text = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));

/** The files of an archive of the vector, in blocks of `block` entries, with something changed. */
export function sampleFiles(change: (parts: Parts) => Partial<Parts> = () => ({}), block = 5): TarredFile[] {
  const disclosedText = vector('disclosed.json').toString('utf8');
  const parts: Parts = {
    lines: entryLines(),
    disclosed: JSON.parse(disclosedText) as Record<string, unknown>,
    key: vector('key.txt').toString('utf8'),
    checkpoint: vector('checkpoint.txt').toString('utf8'),
  };
  const { lines, disclosed, key, checkpoint } = { ...parts, ...change(parts) };
  // Values stand in the block of their entry as the log was written, whatever was done to the entries since.
  const ids = parts.lines.map((line) => (JSON.parse(line) as { id: string }).id);
  const files: TarredFile[] = [
    { name: fileNames.key, content: Buffer.from(key) },
    { name: fileNames.checkpoint, content: Buffer.from(checkpoint) },
  ];
  for (let number = 0; number * block < Math.max(lines.length, 1); number++) {
    const values = ids
      .slice(number * block, (number + 1) * block)
      .flatMap((id) => (disclosed[id] === undefined ? [] : [JSON.stringify({ id, fields: disclosed[id] })]));
    files.push(
      { name: fileNames.disclosed(number), content: text(values) },
      { name: fileNames.entries(number), content: text(lines.slice(number * block, (number + 1) * block)) },
    );
  }
  return files;
}

export const tarOf = (files: readonly TarredFile[]): Buffer =>
  Buffer.concat([...files.map(({ name, content }) => tarFile(name, content)), tarEnd()]);
