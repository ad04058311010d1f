import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually } from '@agentlattice/testkit';

/** The file of `al`. */
export const bin = fileURLToPath(new URL('../bin/al.mjs', import.meta.url));
/** Node and the file of `al`. */
export const program: readonly string[] = [process.execPath, bin];

export interface AlProcess {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly said: () => string;
  readonly ended: Promise<{ code: number | null; out: string; said: string }>;
  /** The request that it says it waits for. */
  waitsFor(): Promise<string>;
  json(): Promise<Record<string, unknown>>;
}

/** `al` as people start it, with these variables and no others. */
export function startAl(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { stdin = '', folder = process.cwd() }: { stdin?: string; folder?: string } = {},
): AlProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TZ: 'UTC', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [out, said] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(stdin);
  const ended = new Promise<{ code: number | null; out: string; said: string }>((resolve) =>
    child.once('close', (code) => resolve({ code, out, said })),
  );
  return {
    child,
    out: () => out,
    said: () => said,
    ended,
    waitsFor: () =>
      eventually(() => /waiting for approval (apr_\w+) until/.exec(said)?.[1], { within: 20_000 }),
    json: async () => JSON.parse((await ended).out) as Record<string, unknown>,
  };
}
