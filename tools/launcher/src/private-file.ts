import { chmod, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from './error-text.js';
import { randomInstance } from './random-secret.js';

/** Replaces the file in one step, readable by its owner only; after return the content is on the disk. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  const draft = join(dirname(path), `.${randomInstance()}.tmp`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // The umask only removes rights, so the mode is set explicitly.
    await chmod(draft, 0o600);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

/** The parsed file, or undefined when it does not exist. @throws SyntaxError when it is not JSON */
export async function readJsonFile(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
