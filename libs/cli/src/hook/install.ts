import { rm } from 'node:fs/promises';
import { claudeState, withClaudeHook, withoutClaudeHook } from './claude-settings.js';
import {
  codexFaults,
  codexLine,
  withCodexHook,
  withCodexTrust,
  withoutCodexHook,
  withoutCodexTrust,
} from './codex-config.js';
import { codexHasNoTerminals, codexHooks } from './codex-trust.js';
import { changedText, hookLine, type HookCommand } from './hook-line.js';
import { hostFacts, hostVersion, isAtLeast } from './host-program.js';
import { isOurPlugin, opencodePlugin, wordsInPlugin } from './opencode-plugin.js';
import { type Places, placesOf, type Scope, type Surroundings } from './places.js';
import { defaultRules, readRules } from './rules.js';
import { replaceText, textAt } from './text-file.js';
import type { Host } from './hosts.js';

export interface InstallRequest {
  readonly host: Host;
  readonly scope: Scope;
  readonly program: readonly string[];
  readonly baseUrl: string;
  readonly keyFile: string | undefined;
  /** The program of the host, where it is not on PATH. */
  readonly hostProgram: string | undefined;
  /** Also with a version that does not hold every call. */
  readonly acceptOlder: boolean;
}

/** The agent is not held; the message says why, and what to do. */
export class CannotInstall extends Error {}

/** @returns what was done, a sentence each @throws CannotInstall */
export async function install(request: InstallRequest, around: Surroundings): Promise<readonly string[]> {
  const { host, scope } = request;
  if (process.platform === 'win32')
    throw new CannotInstall('The installed line needs a POSIX shell, so Windows is not supported.');
  const places = placesOf(host, scope, around);
  const warning = await checkVersion(request);
  const command: HookCommand = { ...request, rules: places.rules };
  const next = await changed(places.settings, (text) => {
    if (host === 'claude-code') return withClaudeHook(text, hookLine(command));
    if (host === 'codex') return withCodexHook(text, hookLine(command));
    if (text !== '' && !isOurPlugin(text)) throw new Error('it is a plugin of somebody else');
    return opencodePlugin(command);
  });
  const said = [...warning, await rulesAt(places.rules)];
  said.push(
    (await replaceText(places.settings, next))
      ? `${places.settings}: the hook is installed`
      : `${places.settings}: the hook was installed already`,
  );
  if (host !== 'codex') return said;
  said.push(await trust(request, places, around));
  const program = request.hostProgram ?? hostFacts.codex.program;
  if (!(await codexHasNoTerminals(program, around.folder, around.env)))
    throw new CannotInstall(terminalsOpen);
  return said;
}

async function checkVersion({ host, hostProgram, acceptOlder }: InstallRequest): Promise<string[]> {
  const { name, program, oldest, because } = hostFacts[host];
  const version = await hostVersion(host, hostProgram ?? program);
  if (version === null)
    throw new CannotInstall(
      `${name} does not tell its version (${hostProgram ?? program} --version). Install it first, or name it with --host-program.`,
    );
  if (isAtLeast(version, oldest)) return [`${name} ${version}`];
  const text = `${name} ${version} is older than ${oldest}: ${because}.`;
  if (!acceptOlder) throw new CannotInstall(`${text} Update it, or give --accept-older.`);
  return [`warning: ${text}`];
}

/** A file of rules that is there is kept; one that cannot be used is named before it blocks every call. */
async function rulesAt(path: string): Promise<string> {
  try {
    const text = await textAt(path);
    if (text === null) {
      await replaceText(path, `${JSON.stringify(defaultRules, null, 2)}\n`);
      return `${path}: the rules; written with what holds without changes`;
    }
    readRules(text);
  } catch (error) {
    throw new CannotInstall(`${path}: ${messageOf(error)}`);
  }
  return `${path}: the rules; kept`;
}

async function changed(path: string, change: (text: string) => string): Promise<string> {
  try {
    return change((await textAt(path)) ?? '');
  } catch (error) {
    throw new CannotInstall(`${path} was left as it is: ${messageOf(error)}`);
  }
}

/**
 * Codex skips, without a word, a hook whose hash the person has not accepted. Installing it is accepting it; whether Codex
 * will run it is asked of Codex itself.
 */
async function trust(
  { hostProgram = hostFacts.codex.program }: InstallRequest,
  { settings, codexUser }: Places,
  { env, folder }: Surroundings,
): Promise<string> {
  const ours = async () => {
    const line = codexLine((await textAt(settings)) ?? '');
    return (await codexHooks(hostProgram, folder, env)).find((hook) => hook.line === line);
  };
  const hook = await ours();
  if (hook === undefined)
    throw new CannotInstall(
      `Codex does not read ${settings} in this folder, so it would not run the hook. A project must be trusted in Codex first; or install with --user.`,
    );
  if (!hook.runs) {
    const text = await changed(codexUser, (before) =>
      withCodexTrust(withoutCodexTrust(before, settings), hook),
    );
    await replaceText(codexUser, text);
  }
  const after = await ours();
  if (after?.runs !== true)
    throw new CannotInstall(
      'Codex does not trust the hook and skips it. Open codex, enter /hooks, and trust it.',
    );
  return 'Codex says that it trusts the hook and will run it';
}

const terminalsOpen =
  'Codex gives the agent terminals: what is typed into a command that runs is not asked for. Set unified_exec_tty = false among its features, or update it.';

/** @returns what was done, a sentence each */
export async function uninstall(host: Host, scope: Scope, around: Surroundings): Promise<readonly string[]> {
  const { settings, codexUser } = placesOf(host, scope, around);
  const text = await changed(settings, (before) => before);
  const gone = `${settings}: the hook is removed`;
  if (host === 'opencode') {
    if (!isOurPlugin(text)) return [`${settings}: there is no hook of ours`];
    await rm(settings);
    return [gone];
  }
  const next = await changed(settings, host === 'codex' ? withoutCodexHook : withoutClaudeHook);
  const isThere = text !== '' && (await replaceText(settings, next));
  if (host === 'codex' && (await textAt(codexUser)) !== null)
    await replaceText(codexUser, await changed(codexUser, (before) => withoutCodexTrust(before, settings)));
  return [isThere ? gone : `${settings}: there is no hook of ours`];
}

export interface HookStatus {
  readonly host: Host;
  readonly scope: Scope;
  readonly settings: string;
  readonly installed: boolean;
  readonly version: string | null;
  /** Why it does not hold every call; empty when it does. */
  readonly faults: readonly string[];
}

export async function hookStatus(
  host: Host,
  scope: Scope,
  hostProgram: string | undefined,
  around: Surroundings,
): Promise<HookStatus> {
  const { settings, rules } = placesOf(host, scope, around);
  const { program, oldest, because, name } = hostFacts[host];
  const standing = { host, scope, settings };
  try {
    const text = (await textAt(settings)) ?? '';
    const found = await faultsIn(host, text, hostProgram ?? program, around);
    if (found === null) return { ...standing, installed: false, version: null, faults: [] };
    const version = await hostVersion(host, hostProgram ?? program);
    const tooOld = version !== null && !isAtLeast(version, oldest);
    const ruleText = await textAt(rules);
    const broken = ruleText === null ? 'is missing' : faultOf(() => readRules(ruleText));
    const faults = [
      ...found,
      ...(version === null ? [`${name} does not tell its version`] : []),
      ...(tooOld ? [`${name} ${version} is older than ${oldest}: ${because}`] : []),
      ...(broken === null ? [] : [`${rules} ${broken}, so every call is blocked`]),
    ];
    return { ...standing, installed: true, version, faults };
  } catch (error) {
    return { ...standing, installed: false, version: null, faults: [`${settings}: ${messageOf(error)}`] };
  }
}

async function faultsIn(
  host: Host,
  text: string,
  program: string,
  { env, folder }: Surroundings,
): Promise<readonly string[] | null> {
  if (host === 'claude-code') return claudeState(text)?.faults ?? null;
  if (host === 'opencode')
    return isOurPlugin(text) ? (wordsInPlugin(text) === null ? [changedText] : []) : null;
  const line = codexLine(text);
  if (line === null) return null;
  const hooks = await codexHooks(program, folder, env);
  const runs = hooks.some((hook) => hook.line === line && hook.runs);
  return [
    ...codexFaults(text),
    ...(runs
      ? []
      : [
          'Codex skips it: it is not trusted, or this project is not. Install it again, or trust it in codex with /hooks',
        ]),
    ...((await codexHasNoTerminals(program, folder, env)) ? [] : [terminalsOpen]),
  ];
}

function faultOf(check: () => unknown): string | null {
  try {
    check();
    return null;
  } catch (error) {
    return `cannot be used (${messageOf(error)})`;
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
