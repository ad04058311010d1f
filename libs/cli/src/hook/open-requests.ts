import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';

/** A call that was asked for and not yet made. */
export interface OpenRequest {
  readonly eventId: string;
  /** Whether this process began it. */
  readonly isNew: boolean;
}

const keptMs = 30 * 86_400_000;

/**
 * Remembers under which event id a call was asked for, so that the same call, tried again, finds the same request. The files
 * hold nothing that decides: with a lost or a forged one the system is asked anew, or refuses the event id.
 */
export class OpenRequests {
  constructor(private readonly folder: string) {}

  static folderOf(env: NodeJS.ProcessEnv): string {
    const state = env['XDG_STATE_HOME'];
    return join(state?.startsWith('/') ? state : join(homedir(), '.local/state'), 'agentlattice/hook');
  }

  /** The event id of an identical call that is still open, or a new one that is on disk then. */
  async find(call: unknown): Promise<OpenRequest> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const path = this.pathOf(call);
    for (let attempt = 0; attempt < 3; attempt++) {
      const known = await this.read(path);
      if (known !== null) return { eventId: known, isNew: false };
      const eventId = `hook-${randomUUID()}`;
      // Of several processes that begin at once only one writes; the others read what it wrote.
      const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
        return null;
      });
      if (file === null) continue;
      try {
        await file.writeFile(eventId);
        await file.sync();
      } finally {
        await file.close();
      }
      await this.removeOld();
      return { eventId, isNew: true };
    }
    throw new Error(`${path} holds no event id; remove it`);
  }

  /** The call was made, or was refused for good: an identical one asks anew. */
  async close(call: unknown, { eventId }: OpenRequest): Promise<void> {
    const path = this.pathOf(call);
    if ((await this.read(path)) === eventId) await rm(path, { force: true });
  }

  private pathOf(call: unknown): string {
    return join(
      this.folder,
      createHash('sha256')
        .update(canonicalize(call) ?? '')
        .digest('hex'),
    );
  }

  /** Another process may have made the file and not written it yet. */
  private async read(path: string): Promise<string | null> {
    for (let attempt = 0; attempt < 20; attempt++) {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null || /^hook-[0-9a-f-]{36}$/.test(text)) return text;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await rm(path, { force: true });
    return null;
  }

  private async removeOld(): Promise<void> {
    const oldest = Date.now() - keptMs;
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
      if (mtimeMs < oldest) await rm(path, { force: true });
    }
  }
}
