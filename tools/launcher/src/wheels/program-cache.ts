import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { randomInstance } from '../random-secret.js';

/** Where programs that were fetched once are kept. */
export class ProgramCache {
  /** @param dataDir where the cache goes when the home directory cannot be written to */
  constructor(
    private readonly name: string,
    private readonly release: string,
    private readonly dataDir: string,
  ) {}

  /** The paths at which the program may be, the preferred one first. */
  get paths(): string[] {
    const named = process.env['XDG_CACHE_HOME'] ?? '';
    const home = isAbsolute(named) ? named : join(homedir(), '.cache');
    return [join(home, 'agentlattice'), join(this.dataDir, 'cache')].map((dir) =>
      join(dir, `${this.name}-${this.release}`, this.name),
    );
  }

  /** Puts the program at the first path that can be written; complete or not at all. @returns the path */
  async install(program: Uint8Array): Promise<string> {
    let failure: unknown;
    for (const path of this.paths) {
      const dir = join(path, '..');
      const draft = join(dir, `.${randomInstance()}.tmp`);
      try {
        await mkdir(dir, { recursive: true });
        await writeFile(draft, program);
        await chmod(draft, 0o755);
        await rename(draft, path);
        return path;
      } catch (error) {
        failure = error;
        await rm(draft, { force: true }).catch(() => undefined);
      }
    }
    throw failure;
  }
}
