import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@agentlattice/testkit';
import { repositoryRoot } from '../repository-root.js';
import { StartRefused } from '../start-refused.js';
import { ProcessGroup } from './process-group.js';
import { processIdentity } from './process-identity.js';
import type { ChildSpec } from './supervised-process.js';

describe('a supervised process', () => {
  let dataDir: string;
  let group: ProcessGroup;
  let printed: string[];

  const child = (name: string, script: string, ...args: string[]): ChildSpec => ({
    name,
    command: process.execPath,
    args: [join(repositoryRoot, 'tools/launcher/test/fixtures', script), ...args],
    cwd: dataDir,
    env: () => ({ PATH: process.env['PATH'] }),
    stopSignal: 'SIGTERM',
    backend: name === 'server',
    isReady: async () => readFileSync(join(dataDir, 'logs', `${name}.log`), 'utf8').includes('up'),
    present: (line) => (line === 'up' ? undefined : line),
  });

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-supervise-'));
    printed = [];
    group = new ProcessGroup({
      dataDir,
      print: (line) => printed.push(line),
      firstBackOffMs: 5,
      stopWithinMs: 300,
    });
  });
  afterEach(async () => {
    await group.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('is restarted when it is killed', async () => {
    const process = group.supervise(child('worker', 'obedient.mjs'));
    await process.ready(10_000);
    const first = process.pid;
    process.kill('SIGKILL');
    await process.ready(10_000);
    expect(process.pid).not.toBe(first);
    expect(printed).toEqual(['worker | ended (SIGKILL); starting it again in 5 ms']);
  });

  it('leaves no process when the group closes, also when it ignores signals', async () => {
    const stubborn = group.supervise(child('worker', 'stubborn.mjs'));
    await stubborn.ready(10_000);
    const { pid } = stubborn;
    await group.close();
    expect(processIdentity(pid ?? 0)).toBeUndefined();
    expect(stubborn.runs).toBe(1);
  });

  it('is stopped before the servers it uses', async () => {
    const order = join(dataDir, 'order');
    for (const name of ['server', 'worker'])
      await group.supervise(child(name, 'obedient.mjs', order, name)).ready(10_000);
    await group.close();
    expect(readFileSync(order, 'utf8')).toBe('worker\nserver\n');
  });

  it('is not restarted when it refuses its configuration, and the error contains the sentence of the child', async () => {
    const refusing = group.supervise(child('worker', 'refusing.mjs'));
    await expect(refusing.ready(10_000)).rejects.toThrow('SMTP_URL must be a URL such as smtp://host:port.');
    expect(refusing.runs).toBe(1);
  });

  it('is not started by a system that is closing', async () => {
    await group.close();
    expect(() => group.supervise(child('worker', 'obedient.mjs'))).toThrow(StartRefused);
  });

  it('writes its output to a log that only its owner can read', async () => {
    await group.supervise(child('worker', 'obedient.mjs')).ready(10_000);
    expect(statSync(join(dataDir, 'logs', 'worker.log')).mode & 0o777).toBe(0o600);
  });

  it('is restarted every time it ends by itself', async () => {
    const process = group.supervise(child('worker', 'obedient.mjs'));
    for (let run = 1; run <= 3; run++) {
      await eventually(() => process.runs === run && process.pid !== undefined);
      process.kill('SIGKILL');
    }
    await eventually(() => process.runs === 4);
  });
});
