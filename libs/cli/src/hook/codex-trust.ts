import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { z } from 'zod';
import { version } from '../version.js';
import type { CodexTrust } from './codex-config.js';
import { isOurLine } from './hook-line.js';

const listed = z.object({
  result: z.object({
    data: z.array(
      z.object({
        hooks: z.array(
          z.object({
            key: z.string(),
            command: z.string().nullish(),
            currentHash: z.string(),
            trustStatus: z.string(),
            enabled: z.boolean(),
            eventName: z.string(),
          }),
        ),
      }),
    ),
  }),
});

export interface CodexHook extends CodexTrust {
  readonly line: string;
  /** Codex runs a hook only when it is `trusted`, or `managed` by an administrator; others it skips without a word. */
  readonly runs: boolean;
}

const answerWithinMs = 20_000;

/** Asks Codex itself which of our hooks it has read for a folder, and whether it will run them. */
export async function codexHooks(
  program: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<readonly CodexHook[]> {
  const child = spawn(program, ['app-server'], { cwd: folder, env, stdio: ['pipe', 'pipe', 'ignore'] });
  const send = (message: object) => child.stdin.write(`${JSON.stringify(message)}\n`);
  child.stdin.on('error', () => undefined);
  const timer = setTimeout(() => child.kill('SIGKILL'), answerWithinMs);
  try {
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('close', () => reject(new Error('codex app-server ended without an answer')));
    });
    const answer = (async () => {
      for await (const line of createInterface({ input: child.stdout })) {
        const message = JSON.parse(line) as { id?: unknown };
        if (message.id === 1) {
          send({ method: 'initialized' });
          send({ id: 2, method: 'hooks/list', params: { cwds: [folder] } });
        }
        if (message.id === 2) return listed.parse(message);
      }
      throw new Error('codex app-server ended without an answer');
    })();
    send({ id: 1, method: 'initialize', params: { clientInfo: { name: 'al', version } } });
    const { result } = await Promise.race([answer, failed]);
    return result.data
      .flatMap(({ hooks }) => hooks)
      .flatMap(({ key, command, currentHash, trustStatus, enabled, eventName }) =>
        isOurLine(command) && eventName === 'preToolUse'
          ? [
              {
                key,
                line: command,
                hash: currentHash,
                runs: enabled && ['trusted', 'managed'].includes(trustStatus),
              },
            ]
          : [],
      );
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
  }
}

/** Whether Codex, as it is configured for a folder, gives the agent no terminals (`withCodexHook`). */
export async function codexHasNoTerminals(
  program: string,
  folder: string,
  env: NodeJS.ProcessEnv,
): Promise<boolean> {
  const { stdout } = await promisify(execFile)(program, ['features', 'list'], {
    ...{ cwd: folder, env, timeout: answerWithinMs },
  });
  return /^unified_exec_tty\s.*\sfalse\s*$/m.test(stdout);
}
