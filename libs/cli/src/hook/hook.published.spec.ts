import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinSharedStack, notRun, type SharedStack } from '@agentlattice/testkit';
import { adminCalls } from '../../test/admin-calls.js';
import { program, startAl } from '../../test/al-process.js';
import { writeHookFiles } from '../../test/hook-files.js';
import { installHost } from '../../test/host-packages.js';
import {
  type AskedUnderHost,
  askUnderHost,
  type InstalledForHost,
  installForHost,
} from '../../test/under-host.js';
import { type Host, hosts } from './hosts.js';

/** What a host did, once it was installed. */
interface HostRuns {
  readonly selfTest: { code: number | null; out: string; said: string };
  readonly asked: AskedUnderHost;
  readonly installed: InstalledForHost;
}

let stack: SharedStack;
let folder: string;
let rules: string;
let keyFile: string;

beforeAll(async () => {
  [stack, folder] = [await joinSharedStack(), await mkdtemp(join(tmpdir(), 'al-hosts-'))];
  await http('/api/v1/policies', { name: 'shell', action_type: 'tool.shell', effect: 'require_approval' });
  ({ rules, keyFile } = await writeHookFiles(folder, stack.credentials.agent.api_key));
}, 240_000);
afterAll(async () => {
  await stack.leave();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, 120_000);

const http = adminCalls(() => stack);

async function runsOf(host: Host): Promise<HostRuns | string> {
  const found = await installHost(host, join(folder, 'hosts'));
  if ('missing' in found) return found.missing;
  const environment = { HOME: join(folder, 'home'), XDG_STATE_HOME: join(folder, 'state') };
  const test = ['hook', 'test', host, '--json', '--host-program', found.program];
  const selfTest = await startAl(test, environment, { folder }).ended;
  const under = {
    ...{ host, hostProgram: found.program, program, folder, rules, keyFile, http },
    baseUrl: stack.baseUrl,
  };
  return { selfTest, asked: await askUnderHost(under), installed: await installForHost(under) };
}

describe.each(hosts)('under the real %s', (host) => {
  let found: HostRuns | null = null;
  beforeAll(async () => {
    const runs = await runsOf(host);
    if (typeof runs === 'string') notRun(`the hook under the real ${host}: ${runs}`);
    else found = runs;
  }, 300_000);

  it('each way of breaking the hook stops the call', async () => {
    if (found === null) return;
    const report = JSON.parse(found.selfTest.out) as {
      rows: { failure: string; call: string; wanted: string }[];
      holds: boolean;
    };
    expect(report.rows.filter(({ call, wanted }) => call !== wanted)).toEqual([]);
    expect(report.rows.map(({ failure }) => failure)).toEqual(
      expect.arrayContaining([
        'missing',
        'crash',
        'killed',
        'garbage',
        'silent',
        'stuck',
        'unreachable',
        'no-key',
        'cleared',
      ]),
    );
    expect({ code: found.selfTest.code, holds: report.holds }).toEqual({ code: 0, holds: true });
  });

  it('a command runs once when a person approves it, and not when one denies it', async () => {
    if (found === null) return;
    const { results, ...seen } = found.asked;
    expect(seen).toEqual({ lines: 1, consumed: 1, namedHost: host });
    expect(results[1]).toContain('denied by Administrator');
  });

  it('it is installed, seen, and taken out again without a trace', async () => {
    if (found === null) return;
    const { first, again, status, before, after } = found.installed;
    expect(first.join('\n')).toContain('the hook is installed');
    expect(again.join('\n')).toContain('the hook was installed already');
    expect(status).toMatchObject({ installed: true, faults: [], version: expect.any(String) as string });
    expect(after).toBe(before);
  });
});
