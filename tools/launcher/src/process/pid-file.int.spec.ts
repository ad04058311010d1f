import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '../repository-root.js';
import { reapLeftovers, writePidFile } from './pid-file.js';
import { processIdentity } from './process-identity.js';

const fixture = (name: string) => join(repositoryRoot, 'tools/launcher/test/fixtures', name);

describe('a process that a killed launcher left behind', () => {
  let dataDir: string;
  const children: ChildProcess[] = [];

  /** A running child that is noted as ours. */
  async function left(name: string, script: string, { backend = false, args = [] as string[] } = {}) {
    const child = spawn(process.execPath, [fixture(script), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    await once(child.stdout, 'data');
    writePidFile(dataDir, name, { pid: child.pid ?? 0, stopSignal: 'SIGTERM', backend });
    return child;
  }

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-reap-'));
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is stopped at the next start', async () => {
    const child = await left('gateway', 'obedient.mjs');
    expect(await reapLeftovers(dataDir)).toEqual(['gateway']);
    expect(processIdentity(child.pid ?? 0)).toBeUndefined();
    expect(existsSync(join(dataDir, 'run', 'gateway.pid'))).toBe(false);
  });

  it('is killed when it does not stop in time', async () => {
    const child = await left('gateway', 'stubborn.mjs');
    await reapLeftovers(dataDir, { graceMs: 100 });
    expect(processIdentity(child.pid ?? 0)).toBeUndefined();
  });

  it('is stopped before the servers when it is a service, so that it can finish its work', async () => {
    const order = join(dataDir, 'order');
    await left('postgres', 'obedient.mjs', { backend: true, args: [order, 'postgres'] });
    await left('notifier', 'obedient.mjs', { args: [order, 'notifier'] });
    await reapLeftovers(dataDir);
    expect(readFileSync(order, 'utf8')).toBe('notifier\npostgres\n');
  });

  it('is not stopped when another process has its id', async () => {
    const child = await left('gateway', 'obedient.mjs');
    const path = join(dataDir, 'run', 'gateway.pid');
    const record = JSON.parse(readFileSync(path, 'utf8')) as object;
    writeFileSync(path, JSON.stringify({ ...record, identity: 'another boot:1' }));
    expect(await reapLeftovers(dataDir)).toEqual([]);
    expect(processIdentity(child.pid ?? 0)).toBeDefined();
    expect(existsSync(path)).toBe(false);
  });

  it('is not stopped by a damaged record', async () => {
    await left('gateway', 'obedient.mjs');
    writeFileSync(join(dataDir, 'run', 'gateway.pid'), '{"pid":');
    expect(await reapLeftovers(dataDir)).toEqual([]);
  });
});
