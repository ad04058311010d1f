import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { notRun } from '@agentlattice/testkit';
import { runCommand } from '../process/run-command.js';
import { asNobody, postgresUser } from './ordinary-user.js';
import { findPostgres } from './postgres-binaries.js';

const isRoot = process.getuid?.() === 0;

describe('as any user', () => {
  it('PostgreSQL does not run as root', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'al-user-'));
    const user = await postgresUser(await findPostgres(), join(dir, 'postgres'));
    const { command, args } = user.command('id', ['-u']);
    const { stdout } = await runCommand(command, args, user.identity);
    expect(Number(stdout)).toBeGreaterThan(0);
    rmSync(dir, { recursive: true });
  });

  it('root without user namespaces runs it as nobody, in a directory that this user can enter', async () => {
    if (!isRoot) {
      notRun('PostgreSQL as nobody: only root can become nobody');
      return;
    }
    const dir = mkdtempSync(join(tmpdir(), 'al-user-'));
    const data = join(dir, 'closed', 'postgres');
    mkdirSync(dirname(data));
    chmodSync(dirname(data), 0o700);
    const user = await asNobody(await findPostgres(), data);
    try {
      expect(user.dataDir.startsWith('/var/lib/agentlattice/')).toBe(true);
      const version = await runCommand(user.binaries.postgres, ['--version'], user.identity);
      expect(version.stdout).toContain('(PostgreSQL)');
      mkdirSync(user.dataDir, { mode: 0o700 });
      await user.own(user.dataDir);
      expect(statSync(user.dataDir).uid).toBe(65_534);
      const { code } = await runCommand(
        user.binaries.initdb,
        ['-D', user.dataDir, '-A', 'scram-sha-256', '--no-sync', '--locale=C', '--pwfile=/proc/self/cmdline'],
        { ...user.identity, env: { PATH: process.env['PATH'] ?? '' }, cwd: '/' },
      );
      expect(code).toBe(0);
    } finally {
      rmSync(dirname(user.dataDir), { recursive: true, force: true });
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
