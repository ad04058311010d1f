import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, type Stack } from '@agentlattice/testkit';
import { Api } from './api.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A second gateway of a stack, as a process of its own. */
export async function startSecondGateway(
  stack: Stack,
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly api: Api; readonly baseUrl: string; stop(): Promise<void> }> {
  const port = await freePort();
  const child = spawn(
    process.execPath,
    ['--import', './tools/service-preload.mjs', 'apps/gateway/dist/bundle/main.js'],
    {
      cwd: root,
      env: { ...stack.environmentOf('gateway'), PORT: String(port), LOG_LEVEL: 'silent', ...env },
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const baseUrl = `http://127.0.0.1:${String(port)}`;
  const api = new Api(baseUrl, null);
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  await eventually(
    () =>
      api.get('/readyz').then(
        ({ status }) => status === 200,
        () => false,
      ),
    { within: 120_000 },
  ).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { api, baseUrl, stop };
}
