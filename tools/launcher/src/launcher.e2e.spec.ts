import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@agentlattice/testkit';
import type { Credentials } from './first-start/credentials.js';
import { freePort } from './process/free-port.js';
import { reapLeftovers } from './process/pid-file.js';
import { processIdentity } from './process/process-identity.js';
import { repositoryRoot } from './repository-root.js';

const services = ['approval-service', 'audit-ledger', 'gateway', 'notifier', 'policy-engine'];

/** One `npm start`, without npm. */
class Start {
  readonly child: ChildProcess;
  output = '';

  constructor(env: NodeJS.ProcessEnv) {
    const { NODE_OPTIONS: _, DATABASE_URL: __, NATS_URL: ___, REDIS_URL: ____, ...rest } = process.env;
    this.child = spawn(process.execPath, ['tools/launcher/dist/main.js'], {
      cwd: repositoryRoot,
      env: { ...rest, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
  }

  async running(): Promise<void> {
    await eventually(
      () => {
        if (this.child.exitCode !== null) throw new Error(this.output);
        return this.output.includes('Ctrl-C stops everything');
      },
      { within: 90_000 },
    );
  }

  async ended(): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
    return this.child.exitCode;
  }
}

describe('npm start', () => {
  let dataDir: string;
  let port: string;
  const starts: Start[] = [];
  const start = (env: NodeJS.ProcessEnv = {}) => {
    const one = new Start({ AL_DATA_DIR: dataDir, PORT: port, ...env });
    starts.push(one);
    return one;
  };
  const pids = () =>
    Object.fromEntries(
      readdirSync(join(dataDir, 'run'))
        .filter((file) => file.endsWith('.pid'))
        .map((file) => {
          const { pid } = JSON.parse(readFileSync(join(dataDir, 'run', file), 'utf8')) as { pid: number };
          return [file.slice(0, -4), pid];
        }),
    );
  const alive = (numbers: Record<string, number>) =>
    Object.entries(numbers).filter(([, pid]) => processIdentity(pid) !== undefined);
  const credentials = () =>
    JSON.parse(readFileSync(join(dataDir, 'credentials.json'), 'utf8')) as Credentials;

  beforeAll(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'al-start-'));
    port = String(await freePort());
  });
  afterAll(async () => {
    for (const one of starts) one.child.kill('SIGKILL');
    await Promise.all(starts.map((one) => one.ended()));
    await reapLeftovers(dataDir);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('runs the system, restarts what is killed, and finds all data again', async () => {
    const first = start();
    await first.running();
    const made = credentials();
    expect(made.base_url).toBe(`http://127.0.0.1:${port}`);
    expect(first.output).not.toContain(made.agent.api_key);
    expect(Object.keys(pids())).toEqual(expect.arrayContaining([...services, 'nats', 'postgres']));

    // Any process may be killed at any time.
    const before = pids();
    for (const name of ['policy-engine', 'postgres', 'nats']) {
      process.kill(before[name] ?? 0, 'SIGKILL');
      await eventually(() => pids()[name] !== undefined && pids()[name] !== before[name], { within: 30_000 });
    }
    await eventually(async () => (await fetch(`${made.base_url}/readyz`)).ok, { within: 60_000 });

    // A second start on the same data directory is refused.
    const second = start();
    expect(await second.ended()).toBe(1);
    expect(second.output.trim()).toContain(`(process ${String(first.child.pid)}) is already running`);

    // The launcher itself is killed: the next start cleans up after it and finds the same workspace.
    const orphans = pids();
    first.child.kill('SIGKILL');
    await first.ended();
    const third = start();
    await third.running();
    expect(alive(orphans)).toEqual([]);
    expect(credentials()).toEqual(made);
    const answer = await fetch(`${made.base_url}/api/v1/policies`, {
      headers: { authorization: `Bearer ${made.admin.api_key}` },
    });
    const { policies } = (await answer.json()) as { policies: { name: string }[] };
    expect(policies.map((p) => p.name)).toEqual(['production-deploys']);

    // A stop leaves no process.
    const last = pids();
    third.child.kill('SIGTERM');
    expect(await third.ended()).toBe(0);
    expect(alive(last)).toEqual([]);
    expect(readdirSync(join(dataDir, 'run'))).toEqual([]);
  }, 240_000);

  it.each([
    [{ PORT: 'abc' }, 'PORT must be a whole number from 1 to 65535, not "abc".'],
    [
      { DATABASE_URL: 'nonsense' },
      'DATABASE_URL must be a URL such as postgresql://user:password@host:port.',
    ],
    [{ NATS_URL: 'http://x' }, 'NATS_URL must be a URL such as'],
  ])('refuses a bad configuration (%j) with one sentence', async (env, sentence) => {
    const refused = start(env);
    expect(await refused.ended()).toBe(1);
    expect(refused.output.trim().split('\n')).toHaveLength(1);
    expect(refused.output).toContain(sentence);
  });

  it.each([
    [{ RATE_LIMIT: 'many' }, 'RATE_LIMIT must be a number of requests a minute, or 0 for none'],
    [{ EGRESS_ALLOW: 'everything' }, 'EGRESS_ALLOW must be CIDRs separated by commas'],
  ])(
    'ends at once with one sentence when a service refuses its configuration (%j)',
    async (env, sentence) => {
      const refused = start(env);
      expect(await refused.ended()).toBe(1);
      expect(refused.output.trim().split('\n').at(-1)).toMatch(/^[a-z-]+ refuses its configuration: /);
      expect(refused.output.trim().split('\n').at(-1)).toContain(sentence);
      expect(refused.output).not.toContain('starting it again');
    },
    60_000,
  );
});
