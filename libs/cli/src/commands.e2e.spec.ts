import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, joinSharedStack, notRun, type SharedStack } from '@agentlattice/testkit';
import { startAl } from '../test/al-process.js';

let stack: SharedStack;
let folder: string;
beforeAll(async () => {
  [stack, folder] = [await joinSharedStack(), await mkdtemp(join(tmpdir(), 'al-commands-'))];
}, 120_000);
afterAll(async () => {
  await stack.leave();
  await rm(folder, { recursive: true, force: true });
});

const env = (key: string) => ({ AL_API_KEY: key, AL_DATA_DIR: stack.dataDir, HOME: folder });
const agent = (...args: string[]) => startAl(args, env(stack.credentials.agent.api_key), { folder });
const admin = (...args: string[]) => startAl(args, env(stack.credentials.admin.api_key), { folder });
/** What it printed; it must end with this code. */
async function out(started: ReturnType<typeof admin>, code = 0): Promise<string> {
  const ended = await started.ended;
  expect({ code: ended.code, said: code === ended.code ? '' : ended.said }).toEqual({ code, said: '' });
  return ended.out;
}
const json = async (...args: string[]) =>
  JSON.parse(await out(admin(...args, '--json'))) as Record<string, never>;

it('policies are created, shown, tested, taken out of force and deleted', async () => {
  const policy = { name: 'mail', action_type: 'mail.*', effect: 'require_approval', approvals_required: 2 };
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
  expect(await out(admin('policies', 'create', '@policy.json'))).toMatch(
    /^pol_\w+: mail is created: require_approval for mail\.\*\n$/,
  );
  const shown = await out(admin('policies', 'show', 'mail'));
  expect(shown).toMatch(/Quorum +2 approve, 1 deny/);
  expect(await out(admin('policies', 'list'))).toMatch(
    /pol_\w+ +mail +mail\.\* +require_approval +2 +30m +1 +active/,
  );
  await eventually(async () => (await admin('policies', 'test', 'mail.send').ended).code === 2);
  const test = admin('policies', 'test', 'mail.send', '--agent', 'first-agent');
  expect(await out(test, 2)).toBe(
    "a person would decide by the policy mail: mail.send (the policy mail asks for a human's approval)\n",
  );
  await out(admin('policies', 'deactivate', 'mail'));
  await eventually(async () => (await agent('check', 'mail.send').ended).code === 1);
  await out(admin('policies', 'activate', 'mail'));
  await eventually(async () => (await agent('check', 'mail.send').ended).code === 2);
  const unasked = await admin('policies', 'delete', 'mail').ended;
  expect(unasked).toMatchObject({ code: 3, said: expect.stringContaining('--yes') as string });
  await out(admin('policies', 'delete', 'mail', '--yes'));
  expect((await admin('policies', 'show', 'mail').ended).said).toContain('There is no policy mail');
});

it('agents are registered, suspended and resumed, and act by their key', async () => {
  const service = { ...env(''), AL_SERVICE_KEY: stack.credentials.service_key };
  const key = (await out(startAl(['register', 'worker'], service, { folder }))).trim();
  expect(key).toMatch(/^al_agent_/);
  const worker = (...args: string[]) => startAl(args, env(key), { folder });
  expect(await out(worker('whoami'))).toMatch(/Name +worker\nKind +agent/);
  await out(admin('agents', 'suspend', 'worker', '--reason', 'too eager'));
  expect(await out(admin('agents', 'list'))).toMatch(/worker +suspended/);
  expect(await out(worker('execute', 'deploy.production'), 1)).toContain('AGENT_SUSPENDED');
  await out(admin('agents', 'resume', 'worker'));
  const waits = await eventually(async () => {
    const ended = await worker('execute', 'deploy.production', '--json').ended;
    return ended.code === 2 ? ended.out : undefined;
  });
  const { approval_id } = JSON.parse(waits) as { approval_id: string };
  expect(await out(worker('approvals', 'cancel', approval_id))).toBe(`${approval_id}: cancelled\n`);
  expect((await admin('agents', 'show', 'nobody').ended).code).toBe(1);
});

it('people and keys are managed, and what is secret is alone on standard output', async () => {
  const link = await out(
    admin('members', 'invite', 'ada@commands.example.com', '--name', 'Ada Novak', '--group', 'legal'),
  );
  expect(link).toMatch(/^http\S+\n$/);
  expect(await out(admin('members', 'list'))).toMatch(
    /Ada Novak +ada@commands\.example\.com +member +invited +legal/,
  );
  expect(
    await out(admin('members', 'change', 'ada@commands.example.com', '--role', 'viewer', '--no-groups')),
  ).toMatch(/Ada Novak, role viewer, in no group/);
  await out(admin('members', 'remove', 'ada@commands.example.com', '--yes'));
  const key = await out(
    admin('keys', 'create', 'ci', '--kind', 'agent', '--agent', 'first-agent', '--expires', '90d'),
  );
  expect(key).toMatch(/^al_agent_[\w-]+\n$/);
  const { keys } = (await json('keys', 'list')) as unknown as { keys: { id: string; name: string }[] };
  const id = keys.find(({ name }) => name === 'ci')?.id ?? '';
  expect(await out(admin('keys', 'rotate', id, '--overlap', '0s'))).not.toBe(key);
  await out(admin('keys', 'revoke', id, '--yes'));
  expect(await out(admin('keys', 'list', '--all'))).toMatch(/ci +agent +.*revoked/);
});

it('channels are created, tried and deleted, and deliveries shown and sent again', async () => {
  await out(admin('channels', 'create', 'ops', '--type', 'email', '--to', 'ops@example.com'));
  expect(await out(admin('channels', 'test', 'ops'))).toContain('ops: kept in');
  expect(
    await out(admin('channels', 'create', 'hook', '--type', 'webhook', '--url', 'http://127.0.0.1:9/')),
  ).toMatch(/^whsec_\S+\n$/);
  expect(await out(admin('channels', 'test', 'hook'), 1)).toContain('hook: failed');
  await out(agent('execute', 'deploy.production'), 2);
  const id = await eventually(async () => {
    const { deliveries } = (await json('deliveries', 'list')) as unknown as {
      deliveries: { id: string; status: string }[];
    };
    return deliveries.find(({ status }) => status === 'kept')?.id;
  });
  expect(await out(admin('deliveries', 'show', id))).toMatch(/Event +approval\.requested/);
  expect(await out(admin('deliveries', 'redeliver', id))).toContain('is sent again');
  expect(await out(admin('channels', 'list'))).toMatch(/hook +webhook/);
  await out(admin('channels', 'delete', 'hook', '--yes'));
});

it('the watch prints a line for each event, and people by name', async () => {
  const watch = admin('approvals', 'watch');
  await eventually(() => watch.said().includes('watching'), { within: 20_000 });
  const gate = agent('gate', 'deploy.production', '--metadata', '{"for":"watch"}');
  const id = await gate.waitsFor();
  await eventually(() =>
    new RegExp(`requested +${id} +deploy\\.production of first-agent +29m \\d+s left`).test(watch.out()),
  );
  await out(admin('approvals', 'approve', id));
  await eventually(() => new RegExp(`approved +${id} .* by Administrator\\n`).test(watch.out()));
  expect((await gate.ended).said).toContain('approved by Administrator');
  watch.child.kill('SIGINT');
  expect((await watch.ended).code).toBe(0);
});

it('a gate tells of votes while it waits', async () => {
  const pair = { name: 'pair', action_type: 'pair.*', effect: 'require_approval', approvals_required: 2 };
  await out(admin('policies', 'create', JSON.stringify(pair)));
  await eventually(async () => (await agent('check', 'pair.up').ended).code === 2);
  const gate = agent('gate', 'pair.up');
  const id = await gate.waitsFor();
  await out(admin('approvals', 'approve', id, '--reason', 'Fine'));
  await eventually(() => gate.said().includes('approved by Administrator: “Fine” (1 of 2 approvals)'), {
    within: 30_000,
  });
  gate.child.kill('SIGINT');
  expect((await gate.ended).code).toBe(130);
});

describe('the audit log', () => {
  it('is searched and shown', async () => {
    expect(await out(admin('audit', 'search', '--type', 'agent.suspended'))).toMatch(
      /agent\.suspended .* Administrator +suspended +too eager/,
    );
    const { events } = (await json('audit', 'tail', '-n', '3')) as unknown as { events: { seq: number }[] };
    expect(events.map(({ seq }) => seq - (events[0]?.seq ?? 0))).toEqual([0, 1, 2]);
    expect(await out(admin('audit', 'verify'))).toMatch(/^intact: \d+ entries/);
  });

  it('is exported into an archive that anybody can check, without the values that look like secrets', async () => {
    await out(
      agent('execute', 'deploy.production', '--metadata', '{"service":"api","api_token":"hunter2"}'),
      2,
    );
    const made = (await json('audit', 'export', 'log.tar.gz')) as unknown as {
      entries: number;
      verdict: { key: string };
    };
    expect(made).toMatchObject({ verdict: { ok: true, size: made.entries } });
    expect((await stat(join(folder, 'log.tar.gz'))).mode & 0o777).toBe(0o600);
    expect((await admin('audit', 'export', 'log.tar.gz').ended).code).toBe(3);
    const offline = (...args: string[]) =>
      startAl(['audit', 'verify', 'log.tar.gz', ...args], { HOME: folder }, { folder });
    expect(await out(offline('--key', made.verdict.key))).toContain(
      `log.tar.gz: intact: ${String(made.entries)} entries`,
    );
    await promisify(execFile)('tar', ['xzf', 'log.tar.gz'], { cwd: folder });
    const values = await readFile(join(folder, 'disclosed/000000.ndjson'), 'utf8');
    expect(values).toContain('"withheld":["metadata"]');
    expect(values).not.toContain('hunter2');
    const bytes = await readFile(join(folder, 'log.tar.gz'));
    await writeFile(join(folder, 'log.tar.gz'), bytes.subarray(0, bytes.length - 100));
    expect(await out(offline(), 1)).toMatch(/damaged: .*\(damaged_archive: /);
  });

  it('is found sound by the verifier in Python as well, from the archive alone', async () => {
    const verifier = new URL('../../ledger/verifiers/python/verify_log.py', import.meta.url).pathname;
    await out(admin('audit', 'export', 'outside.tar.gz'));
    try {
      const { stdout } = await promisify(execFile)('python3', [verifier, join(folder, 'outside.tar.gz')]);
      expect(stdout).toMatch(/^sound: \d+ entries\n$/);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      notRun('the verifier in Python on an export: there is no python3');
    }
  });
});

describe('doctor', () => {
  it('finds a system that was started here in order, and looks into its servers and files', async () => {
    const text = await eventually(async () => {
      const { code, out: printed } = await admin('doctor').ended;
      return code === 0 ? printed : undefined;
    });
    for (const line of [
      /^ok +gateway /m,
      /^ok +services +Every service/m,
      /^ok +key +AL_API_KEY is in force, of administrator, role admin\.$/m,
      /^ok +postgres +PostgreSQL \S+ answers a commit when it is on disk/m,
      /^ok +nats +NATS \S+ keeps the stream EVENTS on disk/m,
      /^ok +files +The \d files/m,
      /^ok +audit log/m,
    ])
      expect(text).toMatch(line);
  });

  it('says what failed and what to do, and ends with 1', async () => {
    const { code, out: printed } = await startAl(
      ['doctor', '--json'],
      { ...env('al_op_wrong'), DATABASE_URL: 'postgresql://x:hunter2@127.0.0.1:1/x' },
      { folder },
    ).ended;
    expect(code).toBe(1);
    expect(printed).not.toContain('hunter2');
    const { checks } = JSON.parse(printed) as {
      checks: { part: string; status: string; remedy: string | null }[];
    };
    const failed = checks.filter(({ status }) => status === 'failed');
    expect(failed.map(({ part }) => part).sort()).toEqual(['key', 'postgres']);
    for (const { remedy } of failed) expect(remedy).not.toBeNull();
  });

  it('names a file of addresses that holds something else', async () => {
    await writeFile(join(folder, 'servers.json'), 'null', { mode: 0o600 });
    const asked = startAl(['doctor', '--json'], { ...env(''), AL_DATA_DIR: folder }, { folder });
    const { out: printed } = await asked.ended;
    expect(JSON.parse(printed)).toMatchObject({
      checks: expect.arrayContaining([
        expect.objectContaining({
          part: 'servers',
          status: 'failed',
          text: expect.stringContaining('it holds no addresses') as string,
        }),
      ]) as unknown,
    });
    await rm(join(folder, 'servers.json'));
  });
});

it('completion knows the commands', async () => {
  const script = await out(startAl(['completion', 'bash'], {}, { folder }));
  const ask = `COMP_WORDS=(al approvals a); COMP_CWORD=2; _al; echo "\${COMPREPLY[@]}"`;
  const { stdout } = await promisify(execFile)('bash', ['-c', `${script}\n${ask}`]);
  expect(stdout).toBe('approve\n');
  for (const shell of ['zsh', 'fish'])
    expect(await out(startAl(['completion', shell], {}, { folder }))).toContain('approvals');
});
