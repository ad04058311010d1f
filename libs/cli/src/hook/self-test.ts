import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostFacts, hostVersion } from './host-program.js';
import { defaultRules } from './rules.js';
import { type Breakage, breakages } from './self-test/breakages.js';
import { startFakeModel } from './self-test/fake-model.js';
import { runHost } from './self-test/host-session.js';
import type { Host } from './hosts.js';

export interface SelfTestRequest {
  readonly host: Host;
  /** Node and the file of `al`. */
  readonly program: readonly string[];
  readonly hostProgram: string | undefined;
}

export interface SelfTestRow {
  readonly failure: string;
  readonly what: string;
  /** What was seen: whether the command of the call ran. */
  readonly call: 'stopped' | 'made' | 'not tried';
  readonly wanted: 'stopped' | 'made';
  /** What the agent was told. */
  readonly told: string;
}

export interface SelfTestReport {
  readonly host: Host;
  readonly version: string;
  readonly rows: readonly SelfTestRow[];
  readonly holds: boolean;
}

/** How long a host waits for a stuck hook, where it has a limit; and how long the test looks on, where it has none. */
const hostLimitOfTest = 8;
const lookOnMs = 3_000;

/**
 * Lets the real host make calls while its hook is broken on purpose, and looks whether their commands ran. The host gets a
 * model on this machine, a home of its own, and the hook as it is installed.
 */
export async function selfTest({ host, program, hostProgram }: SelfTestRequest): Promise<SelfTestReport> {
  const { name, program: standard } = hostFacts[host];
  const hostFile = hostProgram ?? standard;
  const version = await hostVersion(host, hostFile);
  if (version === null) throw new Error(`${name} cannot be run (${hostFile} --version)`);
  const folder = await mkdtemp(join(tmpdir(), 'al-hook-'));
  try {
    const rig = await makeRig(folder, host, program);
    const told: string[] = [];
    const model = await startFakeModel({
      next: async (results) => {
        told.splice(0, told.length, ...results);
        const breakage = rig.breakages[results.length];
        if (breakage === undefined) return null;
        await rig.become(breakage);
        const mark = `touch ${rig.markOf(breakage)}`;
        if (breakage.typed === true) return { typed: `${mark}\n` };
        return breakage.terminal === true ? { command: `${mark}; sh`, terminal: true } : { command: mark };
      },
    });
    try {
      await runHost({
        ...{ hostProgram: hostFile, modelUrl: model.baseUrl, folder },
        hookCommand: {
          host,
          program: [rig.program],
          rules: rig.rules,
          baseUrl: 'http://127.0.0.1:9',
          keyFile: undefined,
        },
        // Claude Code blocks when it stops waiting. The others would make the call, so there the limit stays.
        ...(host === 'claude-code' ? { hostLimit: hostLimitOfTest } : {}),
      });
    } finally {
      model.stop();
    }
    const rows = await Promise.all(rig.breakages.map((breakage, index) => rowOf(breakage, told[index], rig)));
    return { host, version, rows, holds: rows.every(({ call, wanted }) => call === wanted) };
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function rowOf(breakage: Breakage, told: string | undefined, rig: Rig): Promise<SelfTestRow> {
  const { name, what, cleared } = breakage;
  const ran = await isThere(rig.markOf(breakage));
  const call = ran ? 'made' : told === undefined ? 'not tried' : 'stopped';
  return { failure: name, what, call, wanted: cleared === true ? 'made' : 'stopped', told: told ?? '' };
}

interface Rig {
  readonly program: string;
  readonly rules: string;
  readonly breakages: readonly Breakage[];
  become(breakage: Breakage): Promise<void>;
  markOf(breakage: Breakage): string;
}

/** A program in place of `al` that breaks as it is told. */
async function makeRig(folder: string, host: Host, al: readonly string[]): Promise<Rig> {
  const [program, away, pidFile, marks] = ['al', 'al-away', 'pid', 'work/marks'].map((name) =>
    join(folder, name),
  ) as [string, string, string, string];
  const [rules, brokenRules, keyFile] = ['hook.json', 'broken.json', 'key'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await mkdir(marks, { recursive: true });
  await writeFile(rules, JSON.stringify(defaultRules));
  await writeFile(brokenRules, '{"version":1,"rules":[{"tools":["Bash"],"pas":true}]}');
  await writeFile(keyFile, 'al_agent_of_no_account', { mode: 0o600 });
  const quoted = al.map((word) => `'${word}'`).join(' ');
  const all = breakages({
    al: (args) =>
      [
        ...[quoted, 'hook', host, '--retry-for', '1s'],
        ...['--rules', args.rules, '--base-url', args.baseUrl],
        ...(args.keyFile === null ? [] : ['--key-file', args.keyFile]),
      ].join(' '),
    ...{ host, rules, brokenRules, keyFile, pidFile, nobody: await addressOfNobody() },
  });
  return {
    ...{ program, rules, breakages: all },
    markOf: ({ name }) => join(marks, name),
    become: async ({ script, stuck }) => {
      const draft = `${program}.new`;
      await writeFile(draft, `#!/bin/sh\n${script ?? 'exit 0'}\n`, { mode: 0o755 });
      await rename(draft, script === null ? away : program);
      if (stuck === true && host !== 'claude-code') void endWhenStuck(pidFile);
    },
  };
}

/** Ends a hook that never ends by itself, after the host has waited for it for a while. */
async function endWhenStuck(pidFile: string): Promise<void> {
  const begun = Date.now();
  while (Date.now() - begun < 60_000) {
    const pid = Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    if (pid > 0) {
      await new Promise((resolve) => setTimeout(resolve, lookOnMs));
      process.kill(pid, 'SIGKILL');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const isThere = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function addressOfNobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${String(port)}`;
}
