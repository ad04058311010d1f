import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DrivenClient, NeutralResult } from './conformance.js';
import { type PythonEnvironment, pythonEnvironment } from './python-environment.js';

const folder = fileURLToPath(new URL('../../clients/python', import.meta.url));
/** The Python SDK, built from its folder, with the tools that check it. */
export const pythonSdkEnvironment = (): Promise<PythonEnvironment> => pythonEnvironment(`${folder}[dev]`);

/** The Python SDK, built and installed, driven by the neutral names of the conformance cases. */
export async function pythonClient(): Promise<DrivenClient> {
  const environment = await pythonSdkEnvironment();
  const driver = spawn(environment.program('python'), [`${folder}/conformance_driver.py`]);
  driver.stderr.pipe(process.stderr);
  const waiting = new Map<number, (result: NeutralResult) => void>();
  createInterface({ input: driver.stdout }).on('line', (line) => {
    const { id, ...result } = JSON.parse(line) as { readonly id: number } & NeutralResult;
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  let count = 0;
  return {
    call: ({ baseUrl: base_url, apiKey: api_key, ...call }) =>
      new Promise((resolve) => {
        const id = ++count;
        waiting.set(id, resolve);
        driver.stdin.write(`${JSON.stringify({ id, base_url, api_key, ...call })}\n`);
      }),
    stop: async () => {
      driver.stdin.end();
      await new Promise((resolve) => driver.once('exit', resolve));
      await environment.remove();
    },
  };
}
