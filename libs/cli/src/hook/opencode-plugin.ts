import { z } from 'zod';
import { blockedText, type HookCommand, hookWords, wordsOf } from './hook-line.js';
import { longestWaitMs } from './rules.js';

const mark = '// Written by `al hook install opencode`; `al hook uninstall opencode` removes it.';
/** Longer than the hook ever lives: it ends itself. */
const killedAfterMs = longestWaitMs + 120_000;

export const isOurPlugin = (text: string) => text.startsWith(mark);

/** The plugin: opencode makes a call only when `tool.execute.before` does not throw. */
export function opencodePlugin(command: HookCommand): string {
  return pluginFor(wordsOf(command));
}

/** The words of the hook that a plugin runs; null: it is not as this version of `al` writes it. */
export function wordsInPlugin(text: string): readonly string[] | null {
  const [, program = '', args = ''] = /^const program = (".*");\nconst args = (\[.*\]);$/m.exec(text) ?? [];
  try {
    const words = z.array(z.string()).parse([JSON.parse(program), ...(JSON.parse(args) as unknown[])]);
    return pluginFor(words) === text ? hookWords(words) : null;
  } catch {
    return null;
  }
}

function pluginFor([program = '', ...args]: readonly string[]): string {
  return `${mark}
import { spawn } from 'node:child_process';

const program = ${JSON.stringify(program)};
const args = ${JSON.stringify(args)};

/** Resolves only when the hook says that the call is cleared. */
const clear = (call) =>
  new Promise((resolve, reject) => {
    const blocked = (why) => reject(new Error((why.trim() + ' ' + ${JSON.stringify(blockedText)}).trim()));
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), ${String(killedAfterMs)});
    let [out, said] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (said += chunk));
    child.stdin.on('error', () => {});
    child.once('error', (error) => {
      clearTimeout(timer);
      blocked(String(error.message));
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (code === 0 && out.trim() === 'cleared') resolve();
      else blocked(said);
    });
    child.stdin.end(JSON.stringify(call));
  });

export const AgentLattice = async ({ directory }) => ({
  'tool.execute.before': async (input, output) =>
    clear({ tool: input.tool, args: output.args ?? {}, cwd: directory }),
});
`;
}
