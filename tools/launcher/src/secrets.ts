import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from './error-text.js';
import { readJsonFile, writePrivateFile } from './private-file.js';
import { randomSecret } from './random-secret.js';
import { StartRefused } from './start-refused.js';

const storedSecrets = z.record(z.string(), z.string());

/** Generated passwords that are kept over restarts in one file of mode 0600. */
export interface Secrets {
  /** The secret of that name; made and stored on first use. */
  of(name: string): string;
  /** Sets a given value (for example an id) unless there is one already; returns the stored one. */
  keep(name: string, value: string): string;
  /** When this returns, all values that were returned before are on disk. */
  save(): Promise<void>;
}

/**
 * Opens `secrets.json` in a data directory.
 * @throws StartRefused when the file is damaged: new passwords would lock us out of our own servers
 */
export async function openSecrets(dataDir: string): Promise<Secrets> {
  const path = join(dataDir, 'secrets.json');
  const values = new Map(Object.entries(await readStored(path)));
  let changed = false;
  let saving = Promise.resolve();
  const keep = (name: string, value: string) => {
    const standing = values.get(name);
    if (standing !== undefined) return standing;
    values.set(name, value);
    changed = true;
    return value;
  };
  return {
    of: (name) => values.get(name) ?? keep(name, randomSecret()),
    keep,
    save: () => {
      // Servers start concurrently, so writes are made one after the other.
      saving = saving.then(async () => {
        if (!changed) return;
        changed = false;
        await writePrivateFile(path, `${JSON.stringify(Object.fromEntries(values), null, 2)}\n`);
      });
      return saving;
    },
  };
}

async function readStored(path: string): Promise<Record<string, string>> {
  try {
    return storedSecrets.parse((await readJsonFile(path)) ?? {});
  } catch (error) {
    throw new StartRefused(
      `${path} cannot be read (${errorCode(error) ?? 'damaged'}); restore it, or move the data directory away to begin anew.`,
    );
  }
}
