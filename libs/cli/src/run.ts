import { CommanderError } from 'commander';
import { exitCode, Failure } from './exit-code.js';
import { makeProgram, type ProgramContext } from './program.js';

/** Runs one command line. @returns the exit code */
export async function run(
  args: readonly string[],
  context: Omit<ProgramContext, 'command' | 'end'>,
): Promise<number> {
  const { terminal } = context;
  const dashes = args.indexOf('--');
  const own = dashes === -1 ? args : args.slice(0, dashes);
  const command = dashes === -1 ? null : args.slice(dashes + 1);
  // With --json this is one JSON document as well.
  const document = async (code: number, message: string, error: string | null) => {
    if (!own.includes('--json')) return code;
    const { safeJson } = await import('./render/safe-text.js');
    terminal.print(safeJson({ error, message, exit_code: code }, 2));
    return code;
  };
  const failed = async (code: number, message: string, error: string | null) => {
    terminal.say(`al: ${message}`);
    return document(code, message, error);
  };
  if (command !== null && (own[0] !== 'gate' || command.length === 0))
    return failed(exitCode.usage, 'a command behind -- belongs to al gate, and there must be one', null);
  let code: number = exitCode.ok;
  try {
    const program = makeProgram({ ...context, command, end: (given) => (code = given) });
    if (own.length === 0) {
      program.outputHelp({ error: true });
      return exitCode.usage;
    }
    await program.parseAsync(own, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has printed its message.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCode.ok : await document(exitCode.usage, error.message, null);
    if (error instanceof Failure) return await failed(error.exitCode, error.message, error.code);
    throw error;
  }
}
