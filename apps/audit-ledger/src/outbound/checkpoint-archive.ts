import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Keeps checkpoints outside of the database, to detect a restored backup. */
export interface CheckpointArchive {
  /** Resolves when it is on disk. */
  append(orgId: string, note: string): Promise<void>;
  /** The newest note of each log. */
  newest(): Promise<ReadonlyMap<string, string>>;
}

const suffix = '.checkpoints';

/** One file per log below a folder, one JSON text a line, only ever appended to. */
export function fileArchive(folder: string): CheckpointArchive {
  return {
    async append(orgId, note) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const file = await open(join(folder, `${orgId}${suffix}`), 'a', 0o600);
      try {
        // A line torn by a crash ends here instead of spoiling this one.
        await file.writeFile(`\n${JSON.stringify(note)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    async newest() {
      const names = await readdir(folder).catch(() => []);
      const found = new Map<string, string>();
      for (const name of names.filter((n) => n.endsWith(suffix))) {
        const note = lastCompleteNote(await readFile(join(folder, name), 'utf8'));
        if (note !== null) found.set(name.slice(0, -suffix.length), note);
      }
      return found;
    },
  };
}

function lastCompleteNote(text: string): string | null {
  for (const line of text.split('\n').reverse()) {
    if (line === '') continue;
    try {
      const note: unknown = JSON.parse(line);
      if (typeof note === 'string') return note;
    } catch {
      // An incomplete line: its write was never confirmed.
    }
  }
  return null;
}
