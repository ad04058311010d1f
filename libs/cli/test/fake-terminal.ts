import { Readable } from 'node:stream';
import { run } from '../src/run.js';

/** One command line in this process, without a terminal. */
export async function runHere(
  args: readonly string[],
  { env = {}, stdin = '' }: { env?: NodeJS.ProcessEnv; stdin?: string | Uint8Array } = {},
): Promise<{ code: number; out: string; said: string }> {
  let out = '';
  let said = '';
  const terminal = {
    columns: 100,
    rows: 30,
    isInteractive: false,
    isWatched: false,
    write: (text: string) => {
      out += text;
      return Promise.resolve();
    },
    status: () => undefined,
    screen: () => undefined,
    print: (text: string) => void (out += `${text}\n`),
    say: (text: string) => void (said += `${text}\n`),
  };
  const code = await run(args, { env, folder: '/nowhere', terminal, stdin: Readable.from([stdin]) });
  return { code, out, said };
}
