import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually, type Stack, startStack } from '@agentlattice/testkit';
import { adminCalls } from '../test/admin-calls.js';
import { type AlProcess, startAl } from '../test/al-process.js';

let stack: Stack;
let folder: string;
beforeAll(async () => {
  [stack, folder] = [await startStack(), await mkdtemp(join(tmpdir(), 'al-cli-'))];
  await stack.startServices();
  await policy({ name: 'quick', action_type: 'quick.*', effect: 'allow' });
  await policy({ name: 'forbidden', action_type: 'forbidden.*', effect: 'deny' });
  await policy({ name: 'short', action_type: 'short.*', effect: 'require_approval', timeout: '2s' });
  await policy({ name: 'pair', action_type: 'pair.*', effect: 'require_approval', approvals_required: 2 });
  await eventually(async () => (await agent('gate', 'pair.up', '--timeout', '1ms').ended).code === 2);
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The address is found where the start wrote it down. */
const as =
  (key: string) =>
  (args: readonly string[], more: { stdin?: string } = {}) =>
    startAl(args, { AL_API_KEY: key, AL_DATA_DIR: stack.dataDir }, { folder, ...more });
const agent = (...args: string[]) => as(stack.credentials.agent.api_key)(args);
const admin = (...args: string[]) => as(stack.credentials.admin.api_key)(args);

const http = adminCalls(() => stack);
const policy = (content: object) => http('/api/v1/policies', content);
const statusOf = async (id: string) => (await http(`/api/v1/approvals/${id}`))['status'];
/** The newest entry of the log of a type. */
const newest = async (type: string) => {
  const { events } = (await http(`/api/v1/audit?limit=1&type=${type}`)) as {
    events: Record<string, unknown>[];
  };
  return events[0] ?? {};
};

describe('al gate', () => {
  it('opens at once for what is allowed', async () => {
    const { code, out, said } = await agent('gate', 'quick.run').ended;
    expect({ code, out, said }).toEqual({
      code: 0,
      out: '',
      said: 'allowed by the policy quick: quick.run\n',
    });
  });

  it('waits, names who must decide and how, and opens when it is approved', async () => {
    const waiting = agent('gate', 'deploy.production', '--metadata', '{"version":"1.4.2"}', '--json');
    const id = await waiting.waitsFor();
    expect(waiting.said()).toContain(`al approvals approve ${id}`);
    expect(waiting.said()).toContain('needed: 1 person; policy production-deploys\n  asked: Administrator\n');
    const { code, out } = await admin('approvals', 'approve', id, '--reason', 'Ship it').ended;
    expect(code).toBe(0);
    expect(out).toBe(`${id}: approved by Administrator: deploy.production of first-agent\n`);
    expect(await waiting.json()).toMatchObject({
      status: 'approved',
      allowed: true,
      approval_id: id,
      reason: 'Ship it',
      resolved_by: expect.stringMatching(/^mbr_/) as string,
      grant: expect.stringMatching(/^eyJ/) as string,
      exit_code: 0,
    });
    expect((await waiting.ended).code).toBe(0);
    const entry = await eventually(async () => {
      const found = await newest('approval.approved');
      return found['approval_id'] === id ? found : undefined;
    });
    expect(entry).toMatchObject({ reason: 'Ship it', operator: { via: 'cli' } });
  });

  it('stays shut when it is denied, and says why', async () => {
    const waiting = agent('gate', 'deploy.production', '--', 'touch', join(folder, 'never'));
    const id = await waiting.waitsFor();
    expect((await admin('approvals', 'deny', id, '--reason', 'Not on\u0007 a Friday').ended).code).toBe(0);
    const { code, said } = await waiting.ended;
    expect(code).toBe(1);
    expect(said).toContain(': Not on\\x07 a Friday (DENIED_BY_REVIEWER)');
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });

  it.each([
    ['forbidden.run', 'denied by the policy forbidden: forbidden.run (POLICY_DENIED)'],
    ['unheard.of', 'denied: no policy matches unheard.of'],
  ])('%s ends with 1', async (action, why) => {
    const { code, said } = await agent('gate', action).ended;
    expect(code).toBe(1);
    expect(said).toContain(why);
  });

  it('ends with 2 when nobody decides in time', async () => {
    const { code, said } = await agent('gate', 'short.run').ended;
    expect(code).toBe(2);
    expect(said).toMatch(/timed out: nobody decided apr_\w+ in time/);
  });

  it('withdraws the request when its own time is over', async () => {
    const waiting = agent('gate', 'deploy.production', '--timeout', '5s', '--json');
    const id = await waiting.waitsFor();
    expect(await waiting.json()).toMatchObject({
      status: 'cancelled',
      stopped: { kind: 'timeout' },
      exit_code: 2,
    });
    expect((await waiting.ended).code).toBe(2);
    expect(await statusOf(id)).toBe('cancelled');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('withdraws the request at %s', async (signal, wanted) => {
    const waiting = agent('gate', 'deploy.production', '--', 'touch', join(folder, 'never'));
    const id = await waiting.waitsFor();
    waiting.child.kill(signal);
    const { code, said } = await waiting.ended;
    expect(code).toBe(wanted);
    expect(said).toContain(`cancelled: ${id} (stopped by ${signal})`);
    expect(await statusOf(id)).toBe('cancelled');
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });

  it('asks once, however often it is called with one event id', async () => {
    const gates = [1, 2].map(() => agent('gate', 'deploy.production', '--event-id', 'build 77'));
    const ids = await Promise.all(gates.map((gate) => gate.waitsFor()));
    expect(new Set(ids).size).toBe(1);
    await admin('approvals', 'approve', ids[0] ?? '').ended;
    for (const gate of gates) expect((await gate.ended).code).toBe(0);
  });

  it('goes on waiting while the gateway is started again', async () => {
    const waiting = agent('gate', 'deploy.production');
    const id = await waiting.waitsFor();
    stack.kill('gateway');
    await stack.ready('gateway');
    await eventually(async () => (await admin('approvals', 'approve', id).ended).code === 0);
    expect((await waiting.ended).code).toBe(0);
  });
});

describe('al gate … -- COMMAND', () => {
  it('runs it when it may, passes its exit code on and reports how it went', async () => {
    const script = 'read line; echo "got $line $1"; echo oops >&2; exit 7';
    const { code, out, said } = await as(stack.credentials.agent.api_key)(
      ['gate', 'quick.run', '--', 'sh', '-c', script, 'sh', '--json'],
      { stdin: 'input\n' },
    ).ended;
    expect({ code, out }).toEqual({ code: 7, out: 'got input --json\n' });
    expect(said).toContain('oops');
    expect(await newest('action.reported')).toMatchObject({
      action_type: 'quick.run',
      note: 'exit code 7',
      metadata: { status: 'failure', metadata: { exit_code: 7, signal: null } },
    });
  });

  it('hands it the grant it was let through with, whether a person was asked or not', async () => {
    const claimsOf = (out: string) =>
      JSON.parse(Buffer.from(out.trim().split('.')[1] ?? '', 'base64url').toString()) as object;
    const command = ['--', 'sh', '-c', 'echo "$AL_GRANT"'];
    const allowed = await agent('gate', 'quick.run', ...command).ended;
    expect(claimsOf(allowed.out)).toMatchObject({ action_type: 'quick.run', approval_id: null });
    const waiting = agent('gate', 'deploy.production', '--metadata', '{"b":[1.50,"é"],"a":null}', ...command);
    const id = await waiting.waitsFor();
    await admin('approvals', 'approve', id).ended;
    const { code, out } = await waiting.ended;
    expect({ code, claims: claimsOf(out) }).toMatchObject({
      code: 0,
      claims: { action_type: 'deploy.production', approval_id: id },
    });
  });

  it('is not run for an agent that was suspended while it waited', async () => {
    const { id: agentId, api_key } = await http('/api/agents/register', { name: 'suspect' });
    const waiting = as(String(api_key))(['gate', 'deploy.production', '--', 'touch', join(folder, 'never')]);
    const id = await waiting.waitsFor();
    await http(`/api/v1/agents/${String(agentId)}/suspend`, {});
    await admin('approvals', 'approve', id).ended;
    const { code, said } = await waiting.ended;
    expect({ code, said }).toEqual({ code: 1, said: expect.stringContaining('AGENT_SUSPENDED') as string });
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });

  it('tells of a signal as shells do, and keeps standard output for the JSON', async () => {
    const gate = agent('gate', 'quick.run', '--json', '--', 'sh', '-c', 'echo noise; kill -KILL $$');
    expect(await gate.json()).toMatchObject({
      command: { exit_code: 137, signal: 'SIGKILL' },
      reported: true,
    });
    const { code, said } = await gate.ended;
    expect(code).toBe(137);
    expect(said).toContain('noise');
  });

  it('passes signals on to it', async () => {
    const gate = agent(
      'gate',
      'quick.run',
      '--',
      'sh',
      '-c',
      'trap "exit 9" TERM; echo up; while :; do sleep 0.05; done',
    );
    await eventually(() => gate.out().includes('up'));
    gate.child.kill('SIGTERM');
    expect((await gate.ended).code).toBe(9);
  });

  it('says what cannot be run', async () => {
    const { code, said } = await agent('gate', 'quick.run', '--', '/no/such').ended;
    expect(code).toBe(127);
    expect(said).toContain('/no/such cannot be run (ENOENT)');
    expect(await newest('action.reported')).toMatchObject({ metadata: { status: 'failure' } });
  });
});

describe('what an agent says of its action', () => {
  it.each([
    ['a file', '@said.json', ''],
    ['standard input', '-', '{"version":"2"}'],
  ])('comes from %s', async (_, argument, stdin) => {
    await writeFile(join(folder, 'said.json'), '{"version":"2"}');
    const gate: AlProcess = as(stack.credentials.agent.api_key)(
      ['gate', 'deploy.production', '--metadata', argument, '--data-accessed', '[{"table":"users"}]'],
      { stdin },
    );
    const id = await gate.waitsFor();
    const shown = await admin('approvals', 'show', id).ended;
    expect(shown.out).toContain('  version: "2"');
    expect(shown.out).toContain('  {"table":"users"}');
    gate.child.kill('SIGINT');
    await gate.ended;
  });

  it('is refused where programs would disagree about it', async () => {
    const { code, said } = await agent('gate', 'quick.run', '--metadata', '{"n":12345678901234567890}').ended;
    expect(code).toBe(3);
    expect(said).toContain('INVALID_JSON_VALUE');
  });

  it('does nothing to the terminal of its reader', async () => {
    const { api_key } = await http('/api/agents/register', { name: 'bot' });
    const gate = as(String(api_key))([
      'gate',
      'deploy.production',
      '--metadata',
      '{"to":"\\u202ebob\\u001b[1A","\\u001b[2J\\u202e":1}',
    ]);
    const id = await gate.waitsFor();
    for (const args of [['list'], ['show', id], ['list', '--json'], ['show', id, '--json']]) {
      const { out } = await admin('approvals', ...args).ended;
      expect(out).toContain(id);
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
    }
    gate.child.kill('SIGINT');
    await gate.ended;
  });
});

describe('al approvals', () => {
  it('lists the queue and counts votes', async () => {
    const gate = agent('gate', 'pair.up');
    const id = await gate.waitsFor();
    const { out } = await admin('approvals', 'list', '--action-type', 'pair.up').ended;
    const [head, ...rows] = out.trimEnd().split('\n');
    expect(head).toMatch(/^ID +ACTION +AGENT +POLICY +AGE +TIME LEFT$/);
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatch(new RegExp(`^${id} +pair\\.up +first-agent +pair +\\d+s +29m \\d+s$`));
    const vote = await admin('approvals', 'approve', id).ended;
    expect(vote.code).toBe(0);
    expect(vote.out).toContain('1 of 2 approvals, 0 of 1 denials; still needed: 1 person');
    const again = await admin('approvals', 'approve', id).ended;
    expect({ code: again.code, said: again.said }).toEqual({
      code: 1,
      said: expect.stringContaining('ALREADY_VOTED') as string,
    });
    expect((await admin('approvals', 'deny', id).ended).code).toBe(1);
    gate.child.kill('SIGINT');
    await gate.ended;
  });

  it('approves forever: the next gate is open', async () => {
    await policy({ name: 'once', action_type: 'once.*', effect: 'require_approval' });
    const gate = await eventually(async () => {
      const started = agent('gate', 'once.run');
      const id = await Promise.race([started.waitsFor(), started.ended.then(() => undefined)]);
      return id === undefined ? undefined : { started, id };
    });
    const { code } = await admin('approvals', 'approve', gate.id, '--forever').ended;
    expect(code).toBe(0);
    expect((await gate.started.ended).code).toBe(0);
    await eventually(async () => (await agent('gate', 'once.run', '--timeout', '1s').ended).code === 0);
  });

  it('is for operators: who may not decide hears which key to use', async () => {
    const { code, said } = await agent('approvals', 'approve', 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3').ended;
    expect([1, 3]).toContain(code);
    expect(said).toMatch(/al_op_|NOT_FOUND/);
    const missing = await admin('approvals', 'show', 'apr_01jd7e5sqcfnmrq9yh4qvxw2k3').ended;
    expect({ code: missing.code, out: missing.out }).toEqual({ code: 1, out: '' });
  });
});

describe('its page', () => {
  it('has only snippets that run', async () => {
    const page = await readFile(new URL('../../../docs/clients/cli.md', import.meta.url), 'utf8');
    const snippets = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, text = '']) => text);
    expect(snippets.length).toBeGreaterThanOrEqual(7);
    await writeFile(join(folder, 'deploy.sh'), '#!/bin/sh\necho "deployed with ${AL_GRANT:-no grant}"\n', {
      mode: 0o755,
    });
    const bin = fileURLToPath(new URL('../bin/al.mjs', import.meta.url));
    const said: string[] = [];
    const approveAll = async () => {
      const { approvals } = (await http('/api/v1/approvals?status=pending')) as {
        approvals: { id: string }[];
      };
      for (const { id } of approvals) await http(`/api/v1/approvals/${id}/approve`, {});
    };
    for (const snippet of snippets) {
      const asks = snippet.includes('al gate');
      // The page decides the first request of the list, so only the one that waits here may be there.
      const decides = snippet.includes('approvals approve');
      if (decides) await approveAll();
      const waiting = decides ? agent('gate', 'deploy.production') : undefined;
      await waiting?.waitsFor();
      const script = `set -e\nnpx() { shift; "${process.execPath}" "${bin}" "$@"; }\n${snippet}`;
      let ended = false;
      const run = promisify(execFile)('sh', ['-c', script], {
        cwd: folder,
        env: {
          PATH: process.env['PATH'],
          AL_DATA_DIR: stack.dataDir,
          AGENT_KEY: stack.credentials.agent.api_key,
          OPERATOR_KEY: stack.credentials.admin.api_key,
        },
      }).finally(() => (ended = true));
      // Somebody approves what a gate of the page waits for.
      while (asks && !ended) await approveAll();
      said.push((await run).stdout);
      if (waiting !== undefined) expect((await waiting.ended).code).toBe(0);
    }
    expect(said[0]).toMatch(/^deployed with eyJ/);
    expect(said.join('')).toContain('approved by Administrator');
    expect(said.join('')).toContain('log.tar.gz: intact');
  });
});

describe('what is not set up', () => {
  it('a wrong key ends with 3, and says so in JSON where that is asked for', async () => {
    const gate = as('al_agent_wrong')(['gate', 'quick.run', '--json', '--', 'touch', join(folder, 'never')]);
    expect(await gate.json()).toMatchObject({ error: 'UNAUTHENTICATED', exit_code: 3 });
    expect((await gate.ended).code).toBe(3);
    expect((await as(stack.credentials.admin.api_key)(['gate', 'quick.run']).ended).code).toBe(3);
    expect((await startAl(['gate', 'quick.run'], {}, { folder }).ended).code).toBe(3);
  });

  it('a system that is away ends with 4, in bounded time', async () => {
    await stack.halt('gateway');
    const gate = agent('gate', 'quick.run', '--retry-for', '1s', '--', 'touch', join(folder, 'never'));
    const { code, said } = await gate.ended;
    expect(code).toBe(4);
    expect(said).toContain('cannot be reached (ECONNREFUSED)');
    // While it is tried again, it comes back.
    const patient = agent('gate', 'quick.run');
    await eventually(() => patient.said().includes('trying again'));
    await stack.resume('gateway');
    expect((await patient.ended).code).toBe(0);
    await expect(readFile(join(folder, 'never'))).rejects.toThrow('ENOENT');
  });
});
