import { existsSync } from 'node:fs';
import { readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';

const links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * npm cannot ship symbolic links, so the platform package lists the links of its libraries and makes them in an install script. When
 * scripts are not allowed, this makes the links of that list, only inside the package.
 */
export async function ensureLibraryLinks(packageDir: string): Promise<void> {
  const list = join(packageDir, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of links.parse(JSON.parse(await readFile(list, 'utf8')))) {
    const from = join(packageDir, target);
    if (existsSync(from) || relative(packageDir, from).startsWith('..')) continue;
    await symlink(relative(dirname(from), join(packageDir, source)), from).catch((error: unknown) => {
      if (!existsSync(from)) throw error;
    });
  }
}
