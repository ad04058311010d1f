import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defaultRules } from '../src/hook/rules.js';

/** Writes the rules that hold without changes, with these changes. @returns the path */
export async function writeRules(path: string, changes: object): Promise<string> {
  await writeFile(path, JSON.stringify({ ...defaultRules, ...changes }));
  return path;
}

/** Writes what a hook reads: its rules, and a key that only its user can read. */
export async function writeHookFiles(
  folder: string,
  agentKey: string,
): Promise<{ readonly rules: string; readonly keyFile: string }> {
  const keyFile = join(folder, 'agent.key');
  await writeFile(keyFile, `${agentKey}\n`, { mode: 0o600 });
  return { rules: await writeRules(join(folder, 'hook.json'), { wait: '60s' }), keyFile };
}
