import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';

const root = join(import.meta.dirname, '..');

/** The blocks of shell in the README, in order. */
const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  ([, text = '']) => text,
);
const snippetWith = (words: string): string => {
  const found = snippets.filter((text) => text.includes(words));
  if (found.length !== 1) throw new Error(`${String(found.length)} blocks of the README hold “${words}”`);
  return found[0] ?? '';
};

describe('the commands of the README', () => {
  let stack: Stack;
  let folder: string;
  const running: ChildProcess[] = [];

  beforeAll(async () => {
    stack = await startStack();
    await stack.startServices();
    // The folder of a reader of the README: packages and the data of `npm start`.
    folder = mkdtempSync(join(tmpdir(), 'al-readme-'));
    symlinkSync(stack.dataDir, join(folder, '.agentlattice'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  });
  afterAll(async () => {
    for (const child of running.filter(({ exitCode }) => exitCode === null)) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    await stack.stop();
  });

  /** Runs a block in a shell, with the address that this system's `npm start` would print. */
  function run(snippet: string) {
    const text = snippet.replaceAll('http://127.0.0.1:3000', stack.baseUrl);
    const { AL_API_KEY: _, AL_BASE_URL: __, AL_DATA_DIR: ___, ...env } = process.env;
    const child = spawn('sh', ['-e', '-c', text], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.push(child);
    let [out, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = once(child, 'close').then(([code]: unknown[]) => ({ code, out, stderr }));
    return { stderr: () => stderr, ended };
  }

  /** Runs the commands of the operator's terminal for the waiting request. */
  async function approveWhatWaits() {
    const operator = snippetWith('approvals approve');
    const waiting = await eventually(async () => {
      const { out } = await run(operator.replace(/^npx al approvals approve .*$/m, '')).ended;
      return /apr_[0-9a-z]{26}/.exec(out)?.[0];
    });
    return run(operator.replace('apr_…', waiting)).ended;
  }

  it('let an agent ask at the gate and a person decide, by name', async () => {
    const agent = run(snippetWith('npx al gate'));
    await eventually(() => agent.stderr().includes('waiting for approval'), { within: 60_000 });
    const decided = await approveWhatWaits();
    expect(decided).toMatchObject({ code: 0 });
    expect(decided.out).toContain('approved by Administrator: deploy.production of first-agent');
    const gate = await agent.ended;
    expect(gate).toMatchObject({ code: 0, out: 'deploying\n' });
    expect(gate.stderr).toMatch(/approved by Administrator\W+reviewed the change/);
  });

  it('hold one HTTP call until a person has decided', async () => {
    const call = run(snippetWith('Prefer: wait=60'));
    expect(await approveWhatWaits()).toMatchObject({ code: 0 });
    const { code, out } = await call.ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ status: 'executed', verdict: 'executed' });
  });

  it('make a policy', async () => {
    const { code, out } = await run(snippetWith('"name":"small deploys"')).ended;
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ name: 'small deploys', effect: 'conditional', version: 1 });
  });

  it('are all known here', () => {
    // The last two belong to other programs; e2e/mcp.e2e.spec.ts drives what the one connects to, and rules judge the file of the other.
    const elsewhere = [
      'npm start\n',
      'npm test\n',
      'npx al hook install claude-code\nnpx al hook test claude-code\n',
      ...snippets.filter((text) => /^claude mcp add |\ndocker compose /.test(text)),
    ];
    const here = ['npx al gate', 'approvals approve', 'Prefer: wait=60', 'small deploys'];
    expect(
      snippets.filter((text) => !elsewhere.includes(text) && !here.some((words) => text.includes(words))),
    ).toEqual([]);
  });
});
