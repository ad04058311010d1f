import { type ChildProcess, spawn } from 'node:child_process';
import { exitCode } from '../exit-code.js';
import { safeText } from '../render/safe-text.js';
import { exitCodeOf } from './stop-watch.js';

/** How a command ended, as a shell reports it. */
export interface CommandEnd {
  readonly exit_code: number;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** Set when it could not be started. */
  readonly fault: string | null;
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a command with our input and output; signals are passed on to it. */
export function runCommand(
  [file = '', ...args]: readonly string[],
  { outputTo, env }: { outputTo: 'stdout' | 'stderr'; env: Readonly<Record<string, string>> },
): Promise<CommandEnd> {
  const begun = performance.now();
  const secondsSince = () => Math.round(performance.now() - begun) / 1_000;
  const notRun = (error: NodeJS.ErrnoException): CommandEnd => ({
    exit_code: file === '' || error.code === 'ENOENT' ? exitCode.notFound : exitCode.notExecutable,
    signal: null,
    seconds: secondsSince(),
    fault: `${file === '' ? 'The empty command' : safeText(file)} cannot be run (${error.code ?? error.message})`,
  });
  let child: ChildProcess;
  try {
    child = spawn(file, args, {
      stdio: ['inherit', outputTo === 'stdout' ? 'inherit' : 2, 'inherit'],
      env: { ...process.env, ...env },
    });
  } catch (error) {
    // Errors that Node throws at once instead of by an event: an empty name, too many arguments.
    return Promise.resolve(notRun(error as NodeJS.ErrnoException));
  }
  const passOn = (signal: NodeJS.Signals) => {
    // A terminal sends it to the command as well.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of passedOn) process.on(signal, passOn);
  return new Promise<CommandEnd>((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => resolve(notRun(error)));
    child.once('exit', (code, signal) =>
      resolve({
        exit_code: code ?? (signal === null ? 1 : exitCodeOf(signal)),
        signal,
        seconds: secondsSince(),
        fault: null,
      }),
    );
  }).finally(() => {
    for (const signal of passedOn) process.off(signal, passOn);
  });
}
