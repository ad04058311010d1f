import { isUtf8 } from 'node:buffer';
import { chmod, mkdir, readFile, readlink, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Text that is not UTF-8 is refused: written again, it would be another one. */
export async function textAt(path: string): Promise<string | null> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (bytes === null) return null;
  if (!isUtf8(bytes)) throw new Error('it is not UTF-8');
  return bytes.toString('utf8');
}

/**
 * Replaces a text at once, so that a reader sees the old one or the new one. A link stays a link, and the mode stays.
 * @returns whether anything changed
 */
export async function replaceText(path: string, text: string, mode = 0o600): Promise<boolean> {
  if ((await textAt(path)) === text) return false;
  const target = await realpath(path).catch(() =>
    // A link to a file that is not there yet, or no link.
    readlink(path).then(
      (link) => resolve(dirname(path), link),
      () => path,
    ),
  );
  await mkdir(dirname(target), { recursive: true });
  const standing = await stat(target).catch(() => null);
  const draft = `${target}.${String(process.pid)}.al`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await chmod(draft, standing === null ? mode : standing.mode & 0o777);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
  return true;
}
