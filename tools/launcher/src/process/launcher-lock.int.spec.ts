import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartRefused } from '../start-refused.js';
import { acquireLauncherLock } from './launcher-lock.js';

describe('the lock of a data directory', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-lock-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('admits one launcher, and names its process to the second', () => {
    acquireLauncherLock(dataDir);
    expect(() => acquireLauncherLock(dataDir)).toThrow(StartRefused);
    expect(() => acquireLauncherLock(dataDir)).toThrow(`process ${String(process.pid)}`);
  });

  it('is free again once it was released', () => {
    acquireLauncherLock(dataDir)();
    expect(existsSync(join(dataDir, 'launcher.lock'))).toBe(false);
    acquireLauncherLock(dataDir)();
  });

  it.each([
    ['a launcher that died', JSON.stringify({ pid: 2 ** 22 - 1, identity: 'x' })],
    [
      'a number that belongs to another process now',
      JSON.stringify({ pid: process.pid, identity: 'earlier' }),
    ],
    ['a damaged file', '{'],
  ])('is taken over from %s', (_, content) => {
    writeFileSync(join(dataDir, 'launcher.lock'), content);
    acquireLauncherLock(dataDir);
    expect(readdirSync(dataDir)).toEqual(['launcher.lock']);
  });
});
