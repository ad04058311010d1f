import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { processIdentity } from './process-identity.js';

const pidRecord = z.object({
  pid: z.int().positive(),
  identity: z.string().min(1),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  backend: z.boolean(),
});
export type PidRecord = z.infer<typeof pidRecord>;

const runDir = (dataDir: string) => join(dataDir, 'run');

/** Records a child that was just spawned. Synchronous, so that the child is found also when the launcher is killed right after. */
export function writePidFile(dataDir: string, name: string, child: Omit<PidRecord, 'identity'>): void {
  const identity = processIdentity(child.pid);
  if (identity === undefined) return;
  mkdirSync(runDir(dataDir), { recursive: true, mode: 0o700 });
  const path = join(runDir(dataDir), `${name}.pid`);
  writeFileSync(`${path}.tmp`, JSON.stringify({ ...child, identity }), { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
}

export function removePidFile(dataDir: string, name: string): void {
  rmSync(join(runDir(dataDir), `${name}.pid`), { force: true });
}

/**
 * Stops the processes that a killed launcher left behind: services first, then the servers they use. A process that only has the same id
 * is not stopped.
 * @returns the names of the processes that were running
 */
export async function reapLeftovers(dataDir: string, { graceMs = 10_000 } = {}): Promise<string[]> {
  const left = readRecords(dataDir);
  const alive = left.filter(({ record }) => isAlive(record));
  for (const backend of [false, true])
    await Promise.all(alive.filter((l) => l.record.backend === backend).map((l) => end(l.record, graceMs)));
  for (const { name } of left) removePidFile(dataDir, name);
  return alive.map((l) => l.name);
}

function readRecords(dataDir: string): { name: string; record: PidRecord }[] {
  let files: string[];
  try {
    files = readdirSync(runDir(dataDir)).filter((f) => f.endsWith('.pid'));
  } catch {
    return [];
  }
  return files.flatMap((file) => {
    try {
      const text = readFileSync(join(runDir(dataDir), file), 'utf8');
      return [{ name: file.slice(0, -4), record: pidRecord.parse(JSON.parse(text)) }];
    } catch {
      return [];
    }
  });
}

const isAlive = (record: PidRecord) => processIdentity(record.pid) === record.identity;

async function end(record: PidRecord, graceMs: number): Promise<void> {
  const deadline = Date.now() + graceMs;
  signal(record, record.stopSignal);
  while (isAlive(record)) {
    if (Date.now() > deadline) signal(record, 'SIGKILL');
    await delay(20);
  }
}

function signal(record: PidRecord, name: NodeJS.Signals): void {
  if (!isAlive(record)) return;
  try {
    process.kill(record.pid, name);
  } catch {
    // It ended between the check and the signal.
  }
}
