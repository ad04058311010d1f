import { open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { routes } from '@agentlattice/contracts';
import { NoteRefused, openNote, parseCheckpoint, parseVerifierKey } from '@agentlattice/ledger';
import { exitCode, Failure } from '../../exit-code.js';
import type { Ports } from '../../ports.js';
import { safeJson, safeText } from '../../render/safe-text.js';
import { ArchiveCheck, fileNames, linesOf } from './archive-check.js';
import { Progress } from './progress.js';
import { tarEnd, tarFile } from './tar.js';
import { damageText } from './damage-text.js';

/** A block of entries: what is in memory at a time. */
const blockEntries = 10_000;
const blockBytes = 8 * 1024 * 1024;
const pageEntries = 1_000;

/**
 * Writes the whole log up to its newest checkpoint. It is checked meanwhile: a log that is broken is written all the same,
 * since it is evidence, and said to be broken.
 * @returns 1 when the log is broken
 */
export async function exportAudit(file: string, ports: Ports): Promise<number> {
  const { api, terminal, json } = ports;
  if ((await stat(file).catch(() => null)) !== null)
    throw new Failure(exitCode.usage, `${safeText(file)} exists and is not overwritten. Give another name.`);
  const [key, note] = [await api.text(routes.auditKey), await api.text(routes.auditCheckpoint)];
  const size = sizeOf(note, key);
  const check = new ArchiveCheck(null);
  const progress = new Progress(terminal, 'exported');
  const files = async function* () {
    for await (const [name, content] of contents(ports, { key, note, size })) {
      check.take({ name, content });
      progress.at(check.checked, size);
      yield tarFile(name, content);
    }
    yield tarEnd();
  };
  await writeWhole(file, files());
  progress.end();
  const verdict = check.finish();
  if (json) terminal.print(safeJson({ file, entries: size, verdict }, 2));
  else if (verdict.ok)
    terminal.print(
      `${safeText(file)}: ${String(size)} entries, checked and signed by ${safeText(verdict.key)}. Check it anywhere: al audit verify ${safeText(file)}`,
    );
  else terminal.print(`${safeText(file)}: written, but the log is broken: ${damageText(verdict)}`);
  return verdict.ok ? exitCode.ok : exitCode.refused;
}

function sizeOf(note: string, key: string): number {
  try {
    return parseCheckpoint(openNote(note, [parseVerifierKey(key)]).text).size;
  } catch (error) {
    if (!(error instanceof NoteRefused)) throw error;
    throw new Failure(
      exitCode.refused,
      `The checkpoint is not signed by the published key (${error.message}).`,
    );
  }
}

async function* contents(
  { api }: Pick<Ports, 'api'>,
  { key, note, size }: { key: string; note: string; size: number },
): AsyncGenerator<readonly [name: string, content: Buffer]> {
  yield [fileNames.key, Buffer.from(key)];
  yield [fileNames.checkpoint, Buffer.from(note)];
  for (let [from, number] = [0, 0]; from < size; number++) {
    const entries = await readBlock(api, from, Math.min(from + blockEntries, size));
    const end = from + entries.count;
    yield [fileNames.disclosed(number), await readValues(api, from, end)];
    yield [fileNames.entries(number), Buffer.concat(entries.pages)];
    from = end;
  }
}

/** The entries from `from` on, to `end` or until they are a block. */
async function readBlock(api: Ports['api'], from: number, end: number) {
  const pages: Buffer[] = [];
  let [count, bytes] = [0, 0];
  while (from + count < end && bytes < blockBytes) {
    const limit = Math.min(pageEntries, end - from - count);
    const page = Buffer.from(await api.text(routes.auditEntries, { query: { from: from + count, limit } }));
    const came = [...linesOf(page)].length;
    if (came === 0)
      throw new Failure(
        exitCode.refused,
        `The checkpoint covers ${String(end)} entries, but the log ends before entry ${String(from + count)}: it was cut off.`,
      );
    pages.push(page);
    count += came;
    bytes += page.length;
  }
  return { pages, count };
}

/** The values that entries in [from, end) have, a line each. */
async function readValues(api: Ports['api'], from: number, end: number): Promise<Buffer> {
  const lines: Buffer[] = [];
  for (let at = from; at < end;) {
    const limit = Math.min(pageEntries, end - at);
    const page = [
      ...linesOf(Buffer.from(await api.text(routes.auditDisclosed, { query: { from: at, limit } }))),
    ];
    const { next } = JSON.parse(page.pop()?.toString('utf8') ?? '{}') as { next?: unknown };
    if (typeof next !== 'number' || next <= at)
      throw new Failure(
        exitCode.unreachable,
        'The answer with disclosed values is not one that this version knows.',
      );
    lines.push(...page.flatMap((line) => [line, Buffer.from('\n')]));
    at = next;
  }
  return Buffer.concat(lines);
}

/** The file appears under its name when all of it is on disk. */
async function writeWhole(file: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const draft = `${file}.partial`;
  const handle = await open(draft, 'wx', 0o600).catch((error: unknown) => {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = code === 'EEXIST' ? 'it is there from an export that runs or was ended: remove it' : code;
    throw new Failure(exitCode.usage, `${safeText(draft)} cannot be written (${why}).`);
  });
  try {
    await pipeline(Readable.from(chunks), createGzip(), (zipped: AsyncIterable<Buffer>) =>
      handle.writeFile(zipped),
    );
    await handle.sync();
    await handle.close();
    await rename(draft, file);
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}
