import { execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { eventually, joinSharedStack, type SharedStack } from '@agentlattice/testkit';
import { adminCalls } from '../../test/admin-calls.js';
import { bin, program } from '../../test/al-process.js';
import { writeHookFiles, writeRules } from '../../test/hook-files.js';
import { requestsBy } from '../../test/under-host.js';
import { hookLine } from './hook-line.js';
import { readRules } from './rules.js';
import { runHook } from './run-hook.js';
import type { Host } from './hosts.js';

let stack: SharedStack;
let folder: string;
let rules: string;
let keyFile: string;
let shellPolicy = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'al-hooks-'));
  stack = await joinSharedStack();
  for (const policy of [
    { name: 'shell', action_type: 'tool.shell', effect: 'require_approval' },
    { name: 'reads', action_type: 'tool.mcp.files.read', effect: 'allow' },
    { name: 'no web', action_type: 'tool.web', effect: 'deny' },
  ])
    await http('/api/v1/policies', policy).then(
      ({ id }) => (shellPolicy = shellPolicy === '' ? String(id) : shellPolicy),
    );
  ({ rules, keyFile } = await writeHookFiles(folder, stack.credentials.agent.api_key));
  await eventually(async () => (await hook(mcp('read'))) === null, { within: 30_000 });
}, 240_000);
afterAll(async () => {
  await stack.leave();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, 120_000);

const http = adminCalls(() => stack);
const environment = () => ({ HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state') });
const bash = (command: string) => ({
  tool_name: 'Bash',
  tool_input: { command, description: String(Math.random()) },
});
const mcp = (tool: string) => ({ tool_name: `mcp__files__${tool}`, tool_input: {} });

interface HookOptions {
  readonly host?: Host;
  readonly rules?: string;
  readonly keyFile?: string;
  readonly parent?: () => number;
}
/** A hook in this process. @returns null when the call may be made, else why not */
const hook = (
  call: object | string,
  { host = 'claude-code', parent = () => 1, ...files }: HookOptions = {},
) => {
  const text =
    typeof call === 'string'
      ? call
      : JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/work', ...call });
  return runHook(
    { host, baseUrl: stack.baseUrl, retryForMs: 15_000, rules, keyFile, ...files },
    { env: environment(), stdin: Readable.from([text]), parent },
  );
};
/** The installed line, as a host runs it. */
async function line(call: object): Promise<{ code: number | null; said: string }> {
  const text = hookLine({ host: 'claude-code', program, baseUrl: stack.baseUrl, rules, keyFile });
  const child = spawn('sh', ['-c', text], {
    env: { PATH: process.env['PATH'], ...environment() },
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stdin.end(JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/work', ...call }));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, said };
}

const { pending, requestFor, decide, consumptionsOf } = requestsBy(http);

describe('a call', () => {
  it('is made where a policy allows it, and is blocked where one denies it or none matches', async () => {
    expect(await line(mcp('read'))).toEqual({ code: 0, said: '' });
    expect(await line(mcp('write'))).toEqual({
      code: 2,
      said: expect.stringMatching(
        /^AgentLattice: no policy matches tool\.mcp\.files\.write;.*\nAgentLattice blocks/,
      ) as string,
    });
    expect(await hook({ tool_name: 'Read', tool_input: {} }, { keyFile: '/none' })).toBeNull();
    expect(await hook({ tool_name: 'WebFetch', tool_input: { url: 'http://x' } })).toBe(
      'denied by the policy no web: tool.web (POLICY_DENIED)',
    );
  });

  it('that waits is made when a person approves it; the next identical one is asked for again', async () => {
    const first = hook(bash('deploy one'));
    const { id } = await requestFor('deploy one');
    expect(await http(`/api/v1/approvals/${id}`)).toMatchObject({
      action_type: 'tool.shell',
      metadata: { host: 'claude-code', tool: 'Bash', cwd: '/work', input: { command: 'deploy one' } },
    });
    await decide(id, 'approve');
    expect(await first).toBeNull();
    expect(await consumptionsOf(id)).toBe(1);
    const second = hook(bash('deploy one'));
    const again = await requestFor('deploy one');
    expect(again.id).not.toBe(id);
    await decide(again.id, 'deny', 'not twice');
    expect(await second).toMatch(
      new RegExp(`^denied by Administrator: not twice \\(DENIED_BY_REVIEWER\\), request ${again.id}\\.`),
    );
  });

  it('ends before the limit of its host, names the request, and passes once when it is tried again', async () => {
    const { id, waited } = await leftWaiting('deploy two');
    expect(waited).toBe(
      `it waits for the approval ${id} of a person: ${stack.baseUrl}/approvals/${id} . Run exactly the same call again when it is approved.`,
    );
    await decide(id, 'approve');
    const tries = [1, 2, 3, 4].map(() => hook(bash('deploy two')));
    expect(await Promise.race(tries)).toBeNull();
    // The others ask for it again.
    const ended = Promise.all(tries);
    const again = await requestFor('deploy two');
    expect(again.id).not.toBe(id);
    let areOver = false;
    void ended.then(() => (areOver = true));
    await eventually(
      async () => {
        for (const one of await pending())
          if (one.metadata.input.command === 'deploy two') await decide(one.id, 'deny');
        return areOver;
      },
      { within: 60_000 },
    );
    const ends = await ended;
    expect(ends.filter((end) => end === null)).toHaveLength(1);
    expect(await consumptionsOf(id)).toBe(1);
  });

  it('is judged again when it is tried again: a suspended agent and a policy that now denies block it', async () => {
    const { id } = await leftWaiting('deploy three');
    await decide(id, 'approve');
    const agent = `/api/v1/agents/${stack.credentials.agent.id}`;
    await http(`${agent}/suspend`, { pending: 'keep' });
    const suspended = await hook(bash('deploy three'));
    await http(`${agent}/resume`, {});
    expect(suspended).toContain('AGENT_SUSPENDED');
    const second = await leftWaiting('deploy four');
    await decide(second.id, 'approve');
    await http(`/api/v1/policies/${shellPolicy}`, { effect: 'deny' }, 'PATCH');
    const denied = await hook(bash('deploy four'));
    await http(`/api/v1/policies/${shellPolicy}`, { effect: 'require_approval' }, 'PATCH');
    expect(denied).toContain('POLICY_DENIED');
    expect(await consumptionsOf(second.id)).toBe(0);
  });

  it('of a host that went away uses no grant', async () => {
    let parent = 1;
    const waiting = hook(bash('deploy five'), { parent: () => parent });
    const { id } = await requestFor('deploy five');
    parent = 2;
    expect(await waiting).toContain(id);
    await decide(id, 'approve');
    expect(await consumptionsOf(id)).toBe(0);
    expect(await hook(bash('deploy five'))).toBeNull();
  });

  it('is shown without what is masked', async () => {
    const secret = 'AKIAABCDEFGHIJKLMNOP';
    const waiting = hook({
      tool_name: 'Bash',
      tool_input: { command: `deploy with ${secret}`, token: 'hidden' },
    });
    const { id } = await eventually(async () =>
      (await pending()).find(({ metadata }) => metadata.input.command?.includes('deploy with') === true),
    );
    const shown = JSON.stringify(await http(`/api/v1/approvals/${id}`));
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain('hidden');
    expect(shown).toMatch(/deploy with \[masked [0-9a-f]{32}\]/);
    await decide(id, 'deny');
    expect(await waiting).toContain('denied by');
  });
});

/** A call whose hook ended while it waited. */
async function leftWaiting(command: string) {
  let parent = 1;
  const waiting = hook(bash(command), {
    rules: await writeRules(join(folder, 'short.json'), { wait: '9m' }),
    parent: () => parent,
  });
  const { id } = await requestFor(command);
  parent = 2;
  return { id, waited: await waiting };
}

describe('what is broken blocks', () => {
  const input = JSON.stringify({ hook_event_name: 'PreToolUse', cwd: '/w', ...bash('never') });
  it.each<[string, string, (options: { folder: string }) => HookOptions, RegExp]>([
    ['no description of the call', '', () => ({}), /did not describe the call in JSON/],
    ['half a description', input.slice(0, 40), () => ({}), /did not describe the call in JSON/],
    ['another event', input.replace('PreToolUse', 'Stop'), () => ({}), /a form that is not known/],
    ['the dialect of another host', input, () => ({ host: 'opencode' }), /a form that is not known/],
    ['no rules', input, ({ folder: at }) => ({ rules: join(at, 'none.json') }), /rules in .* cannot be used/],
    ['no key', input, ({ folder: at }) => ({ keyFile: join(at, 'none') }), /file of the key cannot be read/],
    [
      'a number that would be rounded',
      input.replace('"never"', '12345678901234567890'),
      () => ({}),
      /INVALID_JSON_VALUE/,
    ],
  ])('%s', async (_, stdin, options, why) => {
    expect(await hook(stdin, options({ folder }))).toMatch(why);
  });

  it('a key that others can read, and one that is not in force', async () => {
    const loose = join(folder, 'loose.key');
    await writeFile(loose, stack.credentials.agent.api_key, { mode: 0o644 });
    expect(await hook(bash('never'), { keyFile: loose })).toContain('can be read by others');
    const wrong = join(folder, 'wrong.key');
    await writeFile(wrong, 'al_agent_wrong', { mode: 0o600 });
    expect(await hook(bash('never'), { keyFile: wrong })).toContain('UNAUTHENTICATED');
  });

  it('a hook that is stuck in a loop kills itself', async () => {
    const watchdog = new URL('../../dist/hook/watchdog.js', import.meta.url).href;
    const script = `const { startWatchdog } = await import('${watchdog}'); startWatchdog(300, 'it was stuck'); for (;;);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const signal = await new Promise((resolve) => child.once('close', (_, by) => resolve(by)));
    expect({ signal, said }).toEqual({ signal: 'SIGKILL', said: 'it was stuck\n' });
  });
});

describe('its page', () => {
  it('has only snippets that run, and rules that can be used', async () => {
    const page = await readFile(
      new URL('../../../../docs/clients/coding-agents.md', import.meta.url),
      'utf8',
    );
    const blocks = (language: string) =>
      [...page.matchAll(new RegExp('```' + language + '\\n(.*?)```', 'gs'))].map(([, text = '']) => text);
    expect(blocks('json').map((text) => readRules(text).version)).toEqual([1]);
    const home = join(folder, 'reader');
    await mkdir(join(home, 'bin'), { recursive: true });
    await writeFile(join(home, 'bin/claude'), '#!/bin/sh\necho "2.1.332 (Claude Code)"\n', { mode: 0o755 });
    const said: string[] = [];
    for (const snippet of blocks('sh')) {
      const { stdout } = await promisify(execFile)(
        'sh',
        ['-c', `set -e\nnpx() { shift; "${process.execPath}" "${bin}" "$@"; }\n${snippet}`],
        {
          cwd: home,
          env: {
            ...{
              PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
              HOME: home,
              AL_BASE_URL: stack.baseUrl,
            },
            ...{ AGENT_KEY: stack.credentials.agent.api_key, OPERATOR_KEY: stack.credentials.admin.api_key },
          },
        },
      );
      said.push(stdout);
    }
    expect(said[0]).toContain('Claude Code 2.1.332, user: installed (');
    expect(JSON.parse(said[1] ?? '')).toMatchObject({ action_type: 'tool.*' });
  });
});
