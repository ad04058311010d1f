import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Host, hostNames } from './hosts.js';

const run = promisify(execFile);

interface HostFacts {
  readonly name: string;
  readonly program: string;
  /** Older ones cannot be held. */
  readonly oldest: string;
  readonly because: string;
}

export const hostFacts: Readonly<Record<Host, HostFacts>> = {
  'claude-code': {
    ...{ name: hostNames['claude-code'], program: 'claude', oldest: '2.1.295' },
    because:
      'older ones ignore onFailure: "block", so a call is made when its hook is killed or takes too long',
  },
  codex: {
    ...{ name: hostNames.codex, program: 'codex', oldest: '0.124.0' },
    because: 'older ones do not run hooks for every tool',
  },
  opencode: {
    ...{ name: hostNames.opencode, program: 'opencode', oldest: '1.18.0' },
    because: 'with older ones it was not tried that subagents are held',
  },
};

/** The version of an installed host; null: it is not there, or does not say. */
export async function hostVersion(host: Host, program = hostFacts[host].program): Promise<string | null> {
  try {
    const { stdout } = await run(program, ['--version'], { timeout: 60_000 });
    return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? null;
  } catch {
    return null;
  }
}

export function isAtLeast(version: string, oldest: string): boolean {
  const [is, wanted] = [version, oldest].map((text) => text.split('.').map(Number));
  for (let i = 0; i < 3; i++) {
    const difference = (is?.[i] ?? 0) - (wanted?.[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
