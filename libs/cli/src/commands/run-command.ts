import { spawn } from 'node:child_process';
import { exitCode } from '../exit-code.js';
import { safeText } from '../render/safe-text.js';
import { exitCodeOf } from './stop-watch.js';

/** How a command ended, as a shell would tell it. */
export interface CommandEnd {
  readonly exit_code: number;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** Set when it could not be started. */
  readonly fault: string | null;
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a command in our place: its input and output are ours, and signals go on to it. */
export function runCommand(
  [file = '', ...args]: readonly string[],
  { outputTo }: { outputTo: 'stdout' | 'stderr' },
): Promise<CommandEnd> {
  const begun = performance.now();
  const child = spawn(file, args, { stdio: ['inherit', outputTo === 'stdout' ? 'inherit' : 2, 'inherit'] });
  const passOn = (signal: NodeJS.Signals) => {
    // A terminal sends it to the command as well.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of passedOn) process.on(signal, passOn);
  return new Promise<CommandEnd>((resolve) => {
    const end = (exit_code: number, signal: NodeJS.Signals | null, fault: string | null) =>
      resolve({ exit_code, signal, seconds: Math.round(performance.now() - begun) / 1_000, fault });
    child.once('error', (error: NodeJS.ErrnoException) =>
      end(
        error.code === 'ENOENT' ? exitCode.notFound : exitCode.notExecutable,
        null,
        `${safeText(file)} cannot be run (${error.code ?? error.message})`,
      ),
    );
    child.once('exit', (code, signal) =>
      end(code ?? (signal === null ? 1 : exitCodeOf(signal)), signal, null),
    );
  }).finally(() => {
    for (const signal of passedOn) process.off(signal, passOn);
  });
}
