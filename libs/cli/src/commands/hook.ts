import { realpath } from 'node:fs/promises';
import { readBaseUrl } from '../config.js';
import { exitCode, Failure } from '../exit-code.js';
import { claudeEntry } from '../hook/claude-settings.js';
import { blockedText, hookLine } from '../hook/hook-line.js';
import { hostFacts } from '../hook/host-program.js';
import { type Host, hosts } from '../hook/hosts.js';
import { CannotInstall, hookStatus, install, uninstall } from '../hook/install.js';
import { placesOf, type Scope } from '../hook/places.js';
import { clearedWord, longestLifeMs, runHook } from '../hook/run-hook.js';
import { selfTest, type SelfTestReport } from '../hook/self-test.js';
import { startWatchdog } from '../hook/watchdog.js';
import type { ProgramContext } from '../program/registration.js';
import { readDuration } from '../read-argument.js';
import { columnsText } from '../render/columns.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';

type HookContext = Pick<ProgramContext, 'env' | 'folder' | 'terminal' | 'stdin'>;

export interface InstallOptions {
  readonly scope: Scope;
  readonly baseUrl: string | undefined;
  readonly keyFile: string | undefined;
  readonly hostProgram: string | undefined;
  readonly acceptOlder: boolean;
  /** Print what would be put into the settings; change nothing. */
  readonly print: boolean;
}

/** Node and `al`, where they are now: an update that moves them blocks calls until the hook is installed again. */
const own = async () => [process.execPath, await realpath(process.argv[1] ?? '')];

/** Puts the hook into the settings of a coding agent. @throws Failure */
export async function installHook(
  host: Host,
  { scope, hostProgram, acceptOlder, print, ...options }: InstallOptions,
  { env, folder, terminal }: HookContext,
): Promise<void> {
  const around = { env, folder };
  const baseUrl = await readBaseUrl(
    options.baseUrl === undefined ? env : { ...env, AL_BASE_URL: options.baseUrl },
    folder,
  );
  const keyFile = options.keyFile === undefined ? undefined : await absolute(options.keyFile, '--key-file');
  const request = { host, scope, program: await own(), baseUrl, keyFile, hostProgram, acceptOlder };
  if (print) {
    const line = hookLine({ ...request, rules: placesOf(host, scope, around).rules });
    terminal.print(
      host === 'claude-code' ? JSON.stringify({ hooks: { PreToolUse: [claudeEntry(line)] } }, null, 2) : line,
    );
    return;
  }
  for (const sentence of await installed(install(request, around))) terminal.print(safeText(sentence));
  if (keyFile === undefined)
    terminal.say('The hook reads the key from AL_API_KEY where the agent is started.');
  terminal.say(`See that it holds: al hook test ${host}`);
}

/** Takes the hook out of the settings again. @throws Failure */
export async function uninstallHook(
  host: Host,
  scope: Scope,
  { env, folder, terminal }: HookContext,
): Promise<void> {
  for (const sentence of await installed(uninstall(host, scope, { env, folder })))
    terminal.print(safeText(sentence));
}

export interface HostOptions {
  readonly hostProgram: string | undefined;
  readonly json: boolean;
}

/** Says where the hook is installed, and whether it holds. @returns the exit code */
export async function showHookStatus(
  host: Host | undefined,
  { hostProgram, json }: HostOptions,
  { env, folder, terminal }: HookContext,
): Promise<number> {
  const wanted = host === undefined ? hosts : [host];
  const places = wanted.flatMap((one) => (['user', 'project'] as const).map((scope) => ({ one, scope })));
  const found = await Promise.all(
    places.map(({ one, scope }) => hookStatus(one, scope, hostProgram, { env, folder })),
  );
  if (json) terminal.print(safeJson(found, 2));
  else
    for (const { host: of, scope, settings, installed: is, version, faults } of found) {
      const state = is
        ? faults.length === 0
          ? 'installed'
          : 'installed, but does not hold'
        : 'not installed';
      terminal.print(
        `${hostFacts[of].name}${version === null ? '' : ` ${version}`}, ${scope}: ${faults.length > 0 && !is ? 'not known' : state} (${safeText(settings)})`,
      );
      for (const fault of faults) terminal.print(`  ${safeText(fault)}`);
    }
  const faulty = found.some(({ faults }) => faults.length > 0);
  return faulty || !found.some(({ installed: is }) => is) ? exitCode.refused : exitCode.ok;
}

/** Breaks the hook on purpose under the real host, and says whether its calls were stopped. @returns the exit code */
export async function testHook(
  host: Host,
  { hostProgram, json }: HostOptions,
  { terminal }: HookContext,
): Promise<number> {
  const report = await selfTest({ host, program: await own(), hostProgram }).catch((error: unknown) => {
    throw new Failure(exitCode.usage, error instanceof Error ? error.message : String(error));
  });
  if (json) terminal.print(safeJson(report, 2));
  else terminal.print(reportText(report, terminal.columns));
  return report.holds ? exitCode.ok : exitCode.refused;
}

export interface RunOptions {
  readonly rules: string;
  readonly baseUrl: string | undefined;
  readonly keyFile: string | undefined;
  readonly retryFor: string;
}

/** What a host runs before a call: reads it from standard input. @returns the exit code */
export async function holdCall(
  host: Host,
  { retryFor, ...options }: RunOptions,
  { env, stdin, terminal }: HookContext,
): Promise<number> {
  startWatchdog(longestLifeMs, 'AgentLattice: the hook was stuck, so the call is blocked.');
  const why = await runHook(
    { host, ...options, retryForMs: readDuration('--retry-for', retryFor) },
    { env, stdin, parent: () => process.ppid },
  );
  if (why === null) {
    terminal.print(clearedWord);
    return exitCode.ok;
  }
  terminal.say(`AgentLattice: ${why}`);
  // The code by which hosts tell a denial from a fault.
  return 2;
}

async function installed(work: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work;
  } catch (error) {
    const { syscall } = error as NodeJS.ErrnoException;
    if (error instanceof CannotInstall || (error instanceof Error && syscall !== undefined))
      throw new Failure(exitCode.refused, error.message);
    throw error;
  }
}

const absolute = (path: string, option: string) =>
  realpath(path).catch(() => {
    throw new Failure(exitCode.usage, `${option}: ${path} is not there.`);
  });

/** Without the command line, which some hosts put before the text of the hook. */
function toldOf(text: string): string {
  const own = Math.max(text.lastIndexOf('AgentLattice: '), 0) || Math.max(text.lastIndexOf(blockedText), 0);
  return text.slice(own).replaceAll(/\s+/g, ' ');
}

function reportText({ host, version, rows, holds }: SelfTestReport, width: number): string {
  const table = columnsText(
    [{ head: 'THE HOOK' }, { head: 'THE CALL WAS' }, { head: 'THE AGENT WAS TOLD', shrinksTo: 20 }],
    rows.map(({ what, call, wanted, told }) => [
      what,
      call === wanted ? call : `${call} (wrong)`,
      shortText(toldOf(told), 100),
    ]),
    width,
  );
  return `${hostFacts[host].name} ${version}\n${table}\n${holds ? 'The gate holds.' : 'The gate does not hold.'}`;
}
