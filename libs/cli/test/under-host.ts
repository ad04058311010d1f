import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@agentlattice/testkit';
import { hookStatus, install, uninstall } from '../src/hook/install.js';
import { startFakeModel } from '../src/hook/self-test/fake-model.js';
import { runHost } from '../src/hook/self-test/host-session.js';
import type { Host } from '../src/hook/hosts.js';
import type { Http } from './admin-calls.js';

/** Requests of hooks, as an operator sees and decides them. */
export function requestsBy(http: Http) {
  const pending = async () => {
    const { approvals } = (await http('/api/v1/approvals?status=pending&limit=200')) as {
      approvals: { id: string; metadata: { input: { command?: string }; host: string } }[];
    };
    return approvals;
  };
  return {
    pending,
    /** The request that waits for this command, other than `not`. Hosts take long to start on a busy machine. */
    requestFor: (command: string, not?: string) =>
      eventually(
        async () =>
          (await pending()).find(({ id, metadata }) => id !== not && metadata.input.command === command),
        { within: 120_000 },
      ),
    decide: (id: string, how: 'approve' | 'deny', reason = 'looked at it') =>
      http(`/api/v1/approvals/${id}/${how}`, { reason }),
    /** The consumptions of a grant that the request has. */
    consumptionsOf: async (id: string): Promise<number> => {
      const { history } = (await http(`/api/v1/approvals/${id}`)) as { history: { type: string }[] };
      return history.filter(({ type }) => type === 'approval.grant_consumed').length;
    },
  };
}

export interface UnderHost {
  readonly host: Host;
  readonly hostProgram: string;
  /** Node and the file of `al`. */
  readonly program: readonly string[];
  readonly folder: string;
  readonly rules: string;
  readonly keyFile: string;
  readonly baseUrl: string;
  readonly http: Http;
}

export interface AskedUnderHost {
  /** How often the command ran. */
  readonly lines: number;
  /** What the agent was told of each call. */
  readonly results: readonly string[];
  readonly consumed: number;
  /** As the request names it. */
  readonly namedHost: string;
}

/** The host makes the same call twice; the first is approved, the second denied. */
export async function askUnderHost({
  host,
  hostProgram,
  program,
  folder,
  rules,
  keyFile,
  baseUrl,
  http,
}: UnderHost): Promise<AskedUnderHost> {
  const { requestFor, decide, consumptionsOf } = requestsBy(http);
  const place = join(folder, `asked-${host}`);
  await mkdir(join(place, 'work'), { recursive: true });
  const mark = join(place, 'work', 'ran');
  const command = `echo ran >> ${mark}`;
  let results: readonly string[] = [];
  const model = await startFakeModel({
    next: (given) => {
      results = given;
      return Promise.resolve(given.length < 2 ? { command } : null);
    },
  });
  try {
    const running = runHost({
      ...{ hostProgram, modelUrl: model.baseUrl, folder: place },
      hookCommand: { host, program, rules, baseUrl, keyFile },
      env: { XDG_STATE_HOME: join(place, 'state') },
    });
    const first = await requestFor(command);
    await decide(first.id, 'approve');
    const second = await requestFor(command, first.id);
    await decide(second.id, 'deny', 'once is enough');
    await running;
    const lines = (await readFile(mark, 'utf8').catch(() => '')).split('\n').length - 1;
    return { lines, results, consumed: await consumptionsOf(first.id), namedHost: first.metadata.host };
  } finally {
    model.stop();
  }
}

export interface InstalledForHost {
  readonly first: readonly string[];
  readonly again: readonly string[];
  readonly status: unknown;
  readonly before: string;
  readonly after: string;
}

export async function installForHost({
  host,
  hostProgram,
  program,
  folder,
  keyFile,
  baseUrl,
}: UnderHost): Promise<InstalledForHost> {
  const home = join(folder, `installed-${host}`);
  const [settings, before] = {
    'claude-code': [join(home, '.claude/settings.json'), '{\n  // mine\n  "model": "opus"\n}\n'],
    codex: [join(home, '.codex/config.toml'), '# mine\nmodel = "gpt"\n'],
    opencode: [join(home, '.config/opencode/plugin/agentlattice.js'), ''],
  }[host] as [string, string];
  await Promise.all(
    [join(settings, '..'), join(home, 'work')].map((path) => mkdir(path, { recursive: true })),
  );
  if (before !== '') await writeFile(settings, before);
  const around = { env: { PATH: process.env['PATH'], HOME: home }, folder: join(home, 'work') };
  const request = {
    ...{ host, program, baseUrl, keyFile, hostProgram },
    ...({ scope: 'user', acceptOlder: false } as const),
  };
  const first = await install(request, around);
  const again = await install(request, around);
  const status = await hookStatus(host, 'user', hostProgram, around);
  await uninstall(host, 'user', around);
  const after = await readFile(settings, 'utf8').catch(() => '');
  return { first, again, status, before, after };
}
