import { Api } from './api-calls.js';
import { exitCodeOf } from './commands/stop-watch.js';
import { readConfig } from './config.js';
import { exitCode, Failure } from './exit-code.js';
import type { CommonOptions, ProgramContext } from './program/registration.js';
import { readDuration } from './read-argument.js';
import { safeText } from './render/safe-text.js';
import { type Style, styleFor } from './render/style.js';
import type { Terminal } from './terminal.js';

/** What a command works with. */
export interface Ports {
  readonly api: Api;
  readonly baseUrl: string;
  readonly terminal: Terminal;
  readonly json: boolean;
  /** Of standard output. */
  readonly style: Style;
  /** Of standard error. */
  readonly sayStyle: Style;
  readonly stdin: NodeJS.ReadableStream;
  readonly env: NodeJS.ProcessEnv;
  /** Where the command was started. */
  readonly folder: string;
}

/**
 * The system and the terminal for a command.
 * @param keyNames the environment variables that may hold the key, in order
 * @throws Failure
 */
export async function openPorts(
  { env, folder, terminal, stdin }: ProgramContext,
  { json, retryFor, color }: CommonOptions,
  keyNames?: readonly string[],
): Promise<Ports> {
  const retryForMs = readDuration('--retry-for', retryFor);
  const config = await readConfig(env, folder, keyNames);
  const onAway = (reason: string) =>
    terminal.say(
      `${config.baseUrl} does not answer (${safeText(reason)}); trying again for ${String(retryForMs / 1_000)} s`,
    );
  return {
    api: new Api({ ...config, retryForMs, onAway }),
    baseUrl: config.baseUrl,
    terminal,
    json: json === true,
    style: styleFor(terminal.isInteractive, env, color),
    sayStyle: styleFor(terminal.isWatched, env, color),
    stdin,
    env,
    folder,
  };
}

/**
 * Asks before something that cannot be undone. Without a terminal nobody can answer, so the command line must say it.
 * @throws Failure unless the person agrees
 */
export async function confirm(
  { terminal, stdin }: Pick<Ports, 'terminal' | 'stdin'>,
  question: string,
  yes: boolean,
): Promise<void> {
  if (yes) return;
  if (!terminal.isWatched || (stdin as { isTTY?: boolean }).isTTY !== true)
    throw new Failure(exitCode.usage, `${question} Nobody can be asked here: give --yes to confirm.`);
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: stdin, output: process.stderr, terminal: true });
  let isInterrupted = false;
  lines.once('SIGINT', () => {
    isInterrupted = true;
    lines.close();
  });
  // Also by Ctrl-D and by a terminal that has gone; the question alone would then wait for ever, or fail.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    const asked = lines.question(`${question} [y/N] `).catch(() => '');
    const answer = await Promise.race([asked, closed]);
    if (isInterrupted) throw new Failure(exitCodeOf('SIGINT'), 'Nothing was changed.');
    if (!/^y(es)?$/i.test(answer.trim()))
      throw new Failure(exitCode.refused, 'Nothing was changed: it was not confirmed.');
  } finally {
    lines.close();
  }
}
