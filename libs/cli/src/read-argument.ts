import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { durationMs } from '@agentlattice/contracts';
import { exitCode, Failure } from './exit-code.js';

/**
 * JSON given directly, as `@file`, or as `-` for standard input. The text is sent unchanged, because parsing and writing it
 * again could change numbers; the system refuses numbers that it cannot represent.
 * @throws Failure
 */
export async function readJsonArgument(
  option: string,
  argument: string,
  is: { readonly what: string; readonly test: (value: unknown) => boolean },
  stdin: NodeJS.ReadableStream,
): Promise<string> {
  const given = await contentOf(option, argument, stdin);
  let value: unknown;
  try {
    value = JSON.parse(given);
  } catch (error) {
    throw new Failure(
      exitCode.usage,
      `${option} is not JSON (${error instanceof Error ? error.message : ''}). Give it as JSON, @file or - for standard input.`,
    );
  }
  if (!is.test(value)) throw new Failure(exitCode.usage, `${option} must be ${is.what}.`);
  return given;
}

/**
 * A duration such as `45m`, in milliseconds.
 * @throws Failure
 */
export function readDuration(option: string, text: string): number {
  const ms = durationMs(text);
  if (ms === null || ms <= 0)
    throw new Failure(
      exitCode.usage,
      `${option} is not a duration: ${JSON.stringify(text)}. Give a duration such as 90s, 45m or 8h.`,
    );
  return ms;
}

/** Text given directly, as `@file`, or as `-` for standard input. */
export async function contentOf(
  option: string,
  argument: string,
  stdin: NodeJS.ReadableStream,
): Promise<string> {
  if (argument === '-') return textOf(option, 'standard input', await buffer(stdin));
  if (!argument.startsWith('@')) return argument;
  const file = argument.slice(1);
  const content = await readFile(file).catch((error: unknown) => {
    throw new Failure(
      exitCode.usage,
      `${option}: ${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? ''}).`,
    );
  });
  return textOf(option, file, content);
}

/** Text that is not UTF-8 is refused: with replacement characters it would be another text. */
function textOf(option: string, source: string, content: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw new Failure(exitCode.usage, `${option}: ${source} is not UTF-8. Save it as UTF-8 and try again.`);
  }
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
export const anObject = { what: 'a JSON object', test: isObject };
export const aListOfObjects = {
  what: 'a JSON list of objects',
  test: (value: unknown) => Array.isArray(value) && value.every(isObject),
};
