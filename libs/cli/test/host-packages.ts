import { execFile } from 'node:child_process';
import { glob, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Host } from '../src/hook/hosts.js';

/** The published packages that the tests run: nothing of the repository depends on them. */
const hostPackages: Readonly<Record<Host, { readonly spec: string; readonly program: string }>> = {
  // Where a script of the package would link to the program of this platform, that program is started itself.
  'claude-code': { spec: '@anthropic-ai/claude-code@2.1.332', program: '@anthropic-ai/claude-code-*/claude' },
  codex: { spec: '@openai/codex@0.171.0', program: '.bin/codex' },
  opencode: { spec: 'opencode-ai@1.18.33', program: 'opencode-*/bin/opencode' },
};

const installWithinMs = 150_000;

/** Installs a host into a folder. @returns its program, or why it cannot be run here */
export async function installHost(
  host: Host,
  folder: string,
): Promise<{ readonly program: string } | { readonly missing: string }> {
  const { spec, program } = hostPackages[host];
  const place = join(folder, host);
  const run = promisify(execFile);
  try {
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'package.json'), '{"private":true}');
    const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error', '--prefix', place];
    await run('npm', ['install', ...options, spec], { cwd: place, timeout: installWithinMs });
    const modules = join(place, 'node_modules');
    const found: string[] = [];
    for await (const path of glob(program, { cwd: modules })) found.push(path);
    const [first] = found.toSorted();
    if (first === undefined) return { missing: `${spec} has no program for this platform` };
    const file = join(modules, first);
    await run(file, ['--version'], { timeout: 60_000, env: { PATH: process.env['PATH'], HOME: place } });
    return { program: file };
  } catch (error) {
    return { missing: `${spec} cannot be run here (${String(error).slice(0, 200)})` };
  }
}
