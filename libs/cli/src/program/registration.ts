import { Command, InvalidArgumentError } from 'commander';
import type { Ports } from '../ports.js';
import type { Terminal } from '../terminal.js';

export interface ProgramContext {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly terminal: Terminal;
  readonly stdin: NodeJS.ReadableStream;
  /** The arguments after `--`; null where there are none. */
  readonly command: readonly string[] | null;
  /** Takes the exit code. */
  readonly end: (code: number) => void;
}

/**
 * Declares commands. What they do is imported when one runs: loading all of it, with every schema of the API, takes longer
 * than the rest of a start.
 */
export type Register = (program: Command, context: ProgramContext) => void;

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: true;
  readonly retryFor: string;
  readonly color: boolean;
}

export const common = (command: Command): Command =>
  command
    .option('--json', 'one JSON document on standard output')
    .option('--no-color', 'no colours, as with NO_COLOR in the environment')
    .option('--retry-for <duration>', 'how long to retry when the system cannot be reached', '30s');

type Work<Options> = (
  ports: Ports,
  options: Options & CommonOptions,
  args: readonly string[],
) => Promise<unknown>;

/** The action of a command that calls the system. What it returns is the exit code. */
export const calls =
  <Options extends object>(context: ProgramContext, work: Work<Options>, keyNames?: readonly string[]) =>
  async (...given: readonly unknown[]): Promise<void> => {
    // Commander gives the arguments, then the options, then the command.
    const options = given.at(-2) as Options & CommonOptions;
    const { openPorts } = await import('../ports.js');
    const ports = await openPorts(context, options, keyNames);
    const code = await work(ports, options, given.slice(0, -2) as string[]);
    if (typeof code === 'number') context.end(code);
  };

export const count = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a number from 1.');
  return Number(text);
};

/** For an option that may be given several times. */
export const several = (text: string, before: readonly string[] = []): readonly string[] => [...before, text];

export const limitOption = ['--limit <n>', 'at most this many', count, 50] as const;

export const yesOption = ['--yes', 'do not ask for confirmation'] as const;
