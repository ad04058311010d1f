import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../error-text.js';
import { randomInstance } from '../random-secret.js';
import { StartRefused } from '../start-refused.js';
import { processIdentity } from './process-identity.js';

const holder = z.object({ pid: z.int().positive(), identity: z.string() });

/**
 * One launcher per data directory. The lock of a launcher that died is taken over.
 * @returns a function that releases the lock
 * @throws StartRefused while another launcher runs
 */
export function acquireLauncherLock(dataDir: string): () => void {
  const path = join(dataDir, 'launcher.lock');
  const mine = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  const draft = `${path}.${randomInstance()}`;
  writeFileSync(draft, mine, { mode: 0o600 });
  try {
    while (!linked(draft, path)) refuseOrClear(path, dataDir);
  } finally {
    rmSync(draft, { force: true });
  }
  return () => {
    if (read(path) === mine) rmSync(path, { force: true });
  };
}

/** A hard link appears with its content or not at all, so a half-written lock is never read. */
function linked(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function refuseOrClear(path: string, dataDir: string): void {
  const text = read(path);
  if (text === undefined) return;
  const pid = runningHolder(text);
  if (pid !== undefined)
    throw new StartRefused(
      `Another npm start (process ${String(pid)}) is already running on ${dataDir}; stop it first, or set AL_DATA_DIR to another directory.`,
    );
  const aside = `${path}.${randomInstance()}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  // Another launcher may have replaced the dead lock between our reading and our rename; then we moved its lock.
  if (read(aside) !== text) linked(aside, path);
  rmSync(aside, { force: true });
}

function runningHolder(text: string): number | undefined {
  try {
    const { pid, identity } = holder.parse(JSON.parse(text));
    return processIdentity(pid) === identity ? pid : undefined;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
