import { chown, cp, mkdir, stat } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { runCommand } from '../process/run-command.js';
import type { PostgresBinaries } from './postgres-binaries.js';

const nobody = 65_534;

/** The user that PostgreSQL runs as. It refuses to run as root. */
export interface PostgresUser {
  readonly binaries: PostgresBinaries;
  /** The directory of the database; its parent exists. */
  readonly dataDir: string;
  readonly command: (bin: string, args: readonly string[]) => { command: string; args: readonly string[] };
  readonly identity: { uid?: number; gid?: number };
  /** Makes a file or directory accessible to that user. */
  readonly own: (path: string) => Promise<void>;
}

const asIs = (command: string, args: readonly string[]) => ({ command, args });

const mapped = ['-U', '--map-user=1000', '--map-group=1000'];

/**
 * An ordinary user runs PostgreSQL under its own id. Root runs it in a user namespace, where the files stay root's; when namespaces are
 * refused (many containers), as `nobody`, which must then be able to reach binaries and data.
 */
export async function postgresUser(binaries: PostgresBinaries, dataDir: string): Promise<PostgresUser> {
  const own = async () => undefined;
  if (process.getuid?.() !== 0) return { binaries, dataDir, command: asIs, identity: {}, own };
  if ((await runCommand('unshare', [...mapped, 'true'])).code === 0) {
    const command = (bin: string, args: readonly string[]) => ({
      command: 'unshare',
      args: [...mapped, bin, ...args],
    });
    return { binaries, dataDir, command, identity: {}, own };
  }
  return asNobody(binaries, dataDir);
}

/** For containers without user namespaces; exported for its test. */
export async function asNobody(binaries: PostgresBinaries, dataDir: string): Promise<PostgresUser> {
  const own = (path: string) => chown(path, nobody, nobody);
  const common = { command: asIs, identity: { uid: nobody, gid: nobody }, own };
  const native = dirname(dirname(binaries.postgres));
  const reachable = (await othersMayEnter(native)) && (await othersMayEnter(dirname(dataDir)));
  if (reachable) return { binaries, dataDir, ...common };
  // Other users cannot enter a checkout below /root, so the server's data is outside of it.
  const home = join('/var/lib/agentlattice', createHash('sha256').update(dataDir).digest('hex').slice(0, 16));
  await mkdir(home, { recursive: true, mode: 0o755 });
  const copy = join(home, `native-${String(binaries.major)}`);
  if (!existsSync(join(copy, 'bin', 'initdb')))
    await cp(native, copy, { recursive: true, verbatimSymlinks: true });
  const bin = (name: string) => join(copy, 'bin', name);
  return {
    binaries: { ...binaries, postgres: bin('postgres'), initdb: bin('initdb') },
    dataDir: join(home, 'postgres'),
    ...common,
  };
}

async function othersMayEnter(path: string): Promise<boolean> {
  for (let dir = path; ; dir = dirname(dir)) {
    if (((await stat(dir)).mode & 0o001) === 0) return false;
    if (dir === dirname(dir)) return true;
  }
}
