import { spawnSync } from 'node:child_process';
import { findOnPath, repositoryRoot } from '@agentlattice/launcher';
import type { Browser } from 'playwright-core';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const installWithinMs = 240_000;

/** No request of the browser itself leaves the machine, and it runs as root and without a graphics card. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts Chromium: the one on PATH, else one that is installed now. @throws when none can be had */
export async function startBrowser(): Promise<Browser> {
  const found = onPath() ?? installed();
  // Loaded here, since most test files need no browser and it takes most of a second.
  const { chromium } = await import('playwright-core');
  return chromium.launch({ args, ...(found === undefined ? {} : { executablePath: found }) });
}

const onPath = () => names.flatMap((name) => findOnPath(name))[0];

/** By the system's packages as root, else as a download of Playwright, which it then finds itself. */
function installed(): string | undefined {
  const run = (command: string, parameters: readonly string[]) =>
    spawnSync(command, parameters, {
      stdio: 'ignore',
      timeout: installWithinMs,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }).status === 0;
  if (process.getuid?.() === 0 && findOnPath('apt-get').length > 0) {
    // Test files that need a browser start at the same time, and apt-get refuses to run twice: the second waits for the first.
    const install =
      'command -v chromium || { apt-get update; apt-get install -y --no-install-recommends chromium; }';
    run('flock', [join(tmpdir(), 'agentlattice-install-browser.lock'), 'sh', '-c', install]);
    const browser = onPath();
    if (browser !== undefined) return browser;
  }
  const playwright = join(repositoryRoot, 'node_modules', 'playwright-core', 'cli.js');
  if (run(process.execPath, [playwright, 'install', 'chromium'])) return undefined;
  throw new Error('No Chromium was found on PATH, and none could be installed');
}
