import { realpath } from 'node:fs/promises';
import { Command, InvalidArgumentError, Option } from 'commander';
import { durationMs } from '@agentlattice/contracts';
import { readConfig } from '../config.js';
import { exitCode, Failure } from '../exit-code.js';
import { claudeEntry } from '../hook/claude-settings.js';
import { blockedText, hookLine } from '../hook/hook-line.js';
import { hostFacts } from '../hook/host-program.js';
import { CannotInstall, hookStatus, install, uninstall } from '../hook/install.js';
import { placesOf, type Scope } from '../hook/places.js';
import { clearedWord, longestLifeMs, runHook } from '../hook/run-hook.js';
import { selfTest, type SelfTestReport } from '../hook/self-test.js';
import { type Host, hosts } from '../hook/tool-call.js';
import { startWatchdog } from '../hook/watchdog.js';
import type { ProgramContext } from '../program.js';
import { columnsText } from '../render/columns.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';

interface ScopeOptions {
  readonly user?: true;
  readonly project?: true;
}
interface InstallOptions extends ScopeOptions {
  readonly baseUrl?: string;
  readonly keyFile?: string;
  readonly hostProgram?: string;
  readonly acceptOlder?: true;
  readonly print?: true;
}
interface RunOptions {
  readonly rules: string;
  readonly baseUrl?: string;
  readonly keyFile?: string;
  readonly retryFor: number;
}

const scopeOf = ({ project }: ScopeOptions): Scope => (project === true ? 'project' : 'user');
const hostOf = (text: string): Host => {
  const host = hosts.find((one) => one === text);
  if (host === undefined) throw new InvalidArgumentError(`Give one of ${hosts.join(', ')}.`);
  return host;
};
const duration = (text: string): number => {
  const ms = durationMs(text);
  if (ms === null || ms <= 0) throw new InvalidArgumentError('Give a duration such as 15s.');
  return ms;
};

/** `al hook`: one gate for coding agents. */
export function registerHook(
  program: Command,
  context: Pick<ProgramContext, 'env' | 'folder' | 'terminal' | 'stdin' | 'end'>,
): void {
  const { terminal, env, folder, end } = context;
  const around = { env, folder };
  const hook = program
    .command('hook')
    .description('hold the tool calls of a coding agent until they are cleared');
  const scoped = (command: Command) =>
    command
      .addOption(new Option('--user', 'for everything of this user (the default)').conflicts('project'))
      .option('--project', 'for the project in this folder');
  const hostProgram = ['--host-program <file>', 'the program of the host; default: found on PATH'] as const;
  /** Node and `al`, where they are now: an update that moves them blocks calls until the hook is installed again. */
  const own = async () => [process.execPath, await realpath(process.argv[1] ?? '')];

  scoped(hook.command('install'))
    .description('put the hook into the settings of a coding agent; again: brings it up to date')
    .argument('<host>', hosts.join(', '), hostOf)
    .option('--base-url <url>', 'where the system is; default: as for other commands')
    .option(
      '--key-file <file>',
      'a file with the key of the agent, readable by you alone; default: AL_API_KEY',
    )
    .option(...hostProgram)
    .option('--accept-older', 'also for a version that does not hold every call')
    .option(
      '--print',
      'print what would be put into the settings, for example for managed ones; change nothing',
    )
    .action(async (host: Host, options: InstallOptions) => {
      const { baseUrl } = await readConfig(
        {
          ...env,
          AL_API_KEY: 'not-needed',
          ...(options.baseUrl === undefined ? {} : { AL_BASE_URL: options.baseUrl }),
        },
        folder,
      );
      const keyFile =
        options.keyFile === undefined ? undefined : await absolute(options.keyFile, '--key-file');
      const request = {
        ...{ host, scope: scopeOf(options), program: await own(), baseUrl, keyFile },
        ...{ hostProgram: options.hostProgram, acceptOlder: options.acceptOlder === true },
      };
      if (options.print === true) {
        const line = hookLine({ ...request, rules: placesOf(host, request.scope, around).rules });
        terminal.print(
          host === 'claude-code'
            ? JSON.stringify({ hooks: { PreToolUse: [claudeEntry(line)] } }, null, 2)
            : line,
        );
        return;
      }
      for (const sentence of await installed(install(request, around))) terminal.print(safeText(sentence));
      if (keyFile === undefined)
        terminal.say('The hook reads the key from AL_API_KEY where the agent is started.');
      terminal.say(`See that it holds: al hook test ${host}`);
    });

  scoped(hook.command('uninstall'))
    .description('take the hook out of the settings again')
    .argument('<host>', hosts.join(', '), hostOf)
    .action(async (host: Host, options: ScopeOptions) => {
      for (const sentence of await installed(uninstall(host, scopeOf(options), around)))
        terminal.print(safeText(sentence));
    });

  hook
    .command('status')
    .description('where the hook is installed, and whether it holds')
    .argument('[host]', hosts.join(', '), hostOf)
    .option(...hostProgram)
    .option('--json', 'one JSON document on standard output')
    .action(async (host: Host | undefined, options: { json?: true; hostProgram?: string }) => {
      const wanted = host === undefined ? hosts : [host];
      const places = wanted.flatMap((one) => (['user', 'project'] as const).map((scope) => ({ one, scope })));
      const found = await Promise.all(
        places.map(({ one, scope }) => hookStatus(one, scope, options.hostProgram, around)),
      );
      const faulty = found.some(({ faults }) => faults.length > 0);
      end(faulty || !found.some(({ installed: is }) => is) ? exitCode.refused : exitCode.ok);
      if (options.json === true) terminal.print(safeJson(found, 2));
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
    });

  hook
    .command('test')
    .description('break the hook on purpose under the real host, and see whether its calls were stopped')
    .argument('<host>', hosts.join(', '), hostOf)
    .option(...hostProgram)
    .option('--json', 'one JSON document on standard output')
    .action(async (host: Host, options: { json?: true; hostProgram?: string }) => {
      const report = await selfTest({ host, program: await own(), hostProgram: options.hostProgram }).catch(
        (error: unknown) => {
          throw new Failure(exitCode.usage, error instanceof Error ? error.message : String(error));
        },
      );
      if (options.json === true) terminal.print(safeJson(report, 2));
      else terminal.print(reportText(report, terminal.columns));
      end(report.holds ? exitCode.ok : exitCode.refused);
    });

  for (const host of hosts)
    hook
      .command(host)
      .description(`what ${hostFacts[host].name} runs before a call: reads it from standard input`)
      .requiredOption('--rules <file>', 'which calls are asked for')
      .option('--base-url <url>', 'where the system is; default: AL_BASE_URL')
      .option('--key-file <file>', 'a file with the key of the agent; default: AL_API_KEY')
      .addOption(
        new Option('--retry-for <duration>', 'how long to retry when the system cannot be reached')
          .argParser(duration)
          .default(15_000, '15s'),
      )
      .action(async ({ rules, baseUrl, keyFile, retryFor }: RunOptions) => {
        startWatchdog(longestLifeMs, 'AgentLattice: the hook was stuck, so the call is blocked.');
        const why = await runHook(
          { host, rules, baseUrl, keyFile, retryForMs: retryFor },
          { env, stdin: context.stdin, parent: () => process.ppid },
        );
        if (why === null) terminal.print(clearedWord);
        else {
          terminal.say(`AgentLattice: ${why}`);
          // The code by which hosts tell a denial from a fault.
          end(2);
        }
      });
}

async function installed(work: Promise<readonly string[]>): Promise<readonly string[]> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof CannotInstall) throw new Failure(exitCode.refused, error.message);
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
