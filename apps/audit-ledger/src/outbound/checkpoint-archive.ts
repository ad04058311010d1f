import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Release } from '../domain/release.js';

/** Keeps checkpoints outside of the database, to detect a restored backup. */
export interface CheckpointArchive {
  /** Resolves when it is on disk. */
  append(orgId: string, note: string): Promise<void>;
  /** Keeps that an operator let a log go on without signed entries; resolves when it is on disk. */
  release(release: Release): Promise<void>;
  /** The newest note of each log, except for logs that were released as lost. */
  newest(): Promise<ReadonlyMap<string, string>>;
  /** All notes of a log, the newest first. */
  notes(orgId: string): Promise<readonly string[]>;
  /** The last release of each log that has one. */
  releases(): Promise<ReadonlyMap<string, Release>>;
}

const suffix = '.checkpoints';

const released = z.object({
  released: z.object({
    orgId: z.string(),
    signed: z.object({ size: z.number().int(), root: z.string() }),
    size: z.number().int(),
    reason: z.string(),
    at: z.string(),
  }),
});
type Line = string | z.infer<typeof released>;

/** One file per log below a folder, one JSON text a line, only ever appended to: notes, and releases of an operator. */
export function fileArchive(folder: string): CheckpointArchive {
  const append = async (orgId: string, line: Line) => {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const file = await open(join(folder, `${orgId}${suffix}`), 'a', 0o600);
    try {
      // A line torn by a crash ends here instead of spoiling this one.
      await file.writeFile(`\n${JSON.stringify(line)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
  };
  const logs = async () =>
    (await readdir(folder).catch(whereMissing([])))
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length));
  const text = (orgId: string) => readFile(join(folder, `${orgId}${suffix}`), 'utf8');
  return {
    append,
    release: (release) => append(release.orgId, { released: release }),
    async newest() {
      const found = new Map<string, string>();
      for (const orgId of await logs()) {
        const [last] = newestFirst(
          await text(orgId),
          (line) => typeof line === 'string' || line.released.size === 0,
        );
        if (typeof last === 'string') found.set(orgId, last);
      }
      return found;
    },
    async notes(orgId) {
      const all = newestFirst(await text(orgId).catch(whereMissing('')));
      return [...all].filter((line) => typeof line === 'string');
    },
    async releases() {
      const found = new Map<string, Release>();
      for (const orgId of await logs()) {
        const content = await text(orgId);
        if (!content.includes('{"released":')) continue;
        const [last] = newestFirst(content, (line) => typeof line !== 'string');
        if (last !== undefined && typeof last !== 'string') found.set(orgId, last.released);
      }
      return found;
    },
  };
}

/** An archive that is there and cannot be read must not pass for one without checkpoints: the guard would find nothing to compare. */
const whereMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return value;
  };

/** An incomplete line is left out: its write was never confirmed. */
function* newestFirst(text: string, isWanted: (line: Line) => boolean = () => true): Generator<Line> {
  for (const line of text.split('\n').reverse()) {
    if (line === '') continue;
    let json: unknown;
    try {
      json = JSON.parse(line);
    } catch {
      continue;
    }
    const read = typeof json === 'string' ? json : released.safeParse(json).data;
    if (read !== undefined && isWanted(read)) yield read;
  }
}
