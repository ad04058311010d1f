import { type ChildProcess, spawn } from 'node:child_process';
import { exitCode } from '../exit-code.js';
import { safeText } from '../render/safe-text.js';
import { exitCodeOf } from './stop-watch.js';

/** How a command ended, in the terms of a shell. */
export interface CommandEnd {
  readonly exit_code: number;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
  /** Set when it could not be started. */
  readonly fault: string | null;
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs a command with our input and output, and passes signals on to it. */
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
  let child: ChildProcess | undefined;
  const passOn = (signal: NodeJS.Signals) => {
    // A terminal sends it to the command as well.
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child?.kill(signal);
  };
  const release = () => {
    for (const signal of passedOn) process.off(signal, passOn);
  };
  // Before the command runs: a signal that came just after its start would end us and leave it running.
  for (const signal of passedOn) process.on(signal, passOn);
  let started: ChildProcess;
  try {
    started = child = spawn(file, args, {
      stdio: ['inherit', outputTo === 'stdout' ? 'inherit' : 2, 'inherit'],
      env: { ...process.env, ...env },
    });
  } catch (error) {
    // An empty name or too many arguments: Node throws these errors at once and emits no event.
    release();
    return Promise.resolve(notRun(error as NodeJS.ErrnoException));
  }
  return new Promise<CommandEnd>((resolve) => {
    started.once('error', (error: NodeJS.ErrnoException) => resolve(notRun(error)));
    started.once('exit', (code, signal) =>
      resolve({
        exit_code: code ?? (signal === null ? 1 : exitCodeOf(signal)),
        signal,
        seconds: secondsSince(),
        fault: null,
      }),
    );
  }).finally(release);
}
