import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../clients/github-action/', import.meta.url));
const commands = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

/** action.yml, as far as a runner needs it: it has one step. */
export async function readAction() {
  const text = await readFile(join(folder, 'action.yml'), 'utf8');
  const part = (name: string) => new RegExp(`^${name}:\n((?: .*\n|\n)*)`, 'm').exec(text)?.[1] ?? '';
  const membersOf = (block: string, indent: string) =>
    [...block.matchAll(new RegExp(`^${indent}([\\w-]+):(?: (.*))?$`, 'gm'))].map(
      ([, name = '', value = '']) => [name, value] as const,
    );
  const inputs = new Map<string, string>();
  let input = '';
  for (const line of part('inputs').split('\n')) {
    input = /^ {2}([\w-]+):$/.exec(line)?.[1] ?? input;
    const [, value] = /^ {4}default: '(.*)'$/.exec(line) ?? [];
    if (value !== undefined || !inputs.has(input)) inputs.set(input, value ?? '');
  }
  return {
    text,
    inputs,
    outputs: membersOf(part('outputs'), ' {2}').map(([name]) => name),
    env: new Map(membersOf(/^ {6}env:\n((?: {8}.*\n)*)/m.exec(text)?.[1] ?? '', ' {8}')),
    scripts: [...text.matchAll(/^ +run: (.*(?:\n {8}.*)*)$/gm)].map(([, script = '']) => script),
  };
}

export interface Step {
  readonly code: number | null;
  /** What stands in the log, by lines. */
  readonly log: readonly string[];
  readonly outputs: Readonly<Record<string, string>>;
  readonly summary: string;
}

/** Runs the action's step as a runner does: its inputs as environment, its script in bash, files for what it says. */
export async function runStep(
  given: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv,
): Promise<Step> {
  const { inputs, env: mapped, scripts } = await readAction();
  const place = await mkdtemp(join(tmpdir(), 'al-step-'));
  const [output, summary, script] = ['output', 'summary', 'script.sh'].map((name) => join(place, name)) as [
    string,
    string,
    string,
  ];
  try {
    for (const [file, text] of [
      [output, ''],
      [summary, ''],
      [script, scripts.join('\n')],
    ] as const)
      await writeFile(file, text);
    const values = [...mapped].map(([name, expression]) => {
      const [, input = ''] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(expression) ?? [];
      if (!inputs.has(input)) throw new Error(`${name} is no input: ${expression}`);
      return [name, given[input] ?? inputs.get(input)] as const;
    });
    const child = spawn('bash', ['--noprofile', '--norc', '-e', '-o', 'pipefail', script], {
      cwd: place,
      env: {
        PATH: [commands, dirname(process.execPath), process.env['PATH']].join(':'),
        HOME: place,
        ...{ GITHUB_ACTIONS: 'true', GITHUB_ACTION_PATH: folder },
        ...{ GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary },
        ...{
          GITHUB_REPOSITORY: 'acme/shop',
          GITHUB_SHA: 'f00d',
          GITHUB_RUN_ID: '7',
          GITHUB_RUN_ATTEMPT: '1',
        },
        ...Object.fromEntries(values),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (log += text));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return {
      ...{ code, log: log.split('\n') },
      outputs: outputsIn(await readFile(output, 'utf8')),
      summary: await readFile(summary, 'utf8'),
    };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** `name<<end`, the value, `end`. */
function outputsIn(text: string): Record<string, string> {
  const blocks = [...text.matchAll(/^([\w-]+)<<(\S+)\n([\s\S]*?)\n\2\n/gm)];
  return Object.fromEntries(blocks.map(([, name = '', , value = '']) => [name, value]));
}
