import { Argument, type Command, Option } from 'commander';
import { hostNames, type Host, hosts } from '../hook/hosts.js';
import type { ProgramContext } from './registration.js';

interface ScopeOptions {
  readonly project?: true;
}
interface HostOptions {
  readonly hostProgram?: string;
  readonly json?: true;
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
  readonly retryFor: string;
}

const commands = () => import('../commands/hook.js');
const scopeOf = ({ project }: ScopeOptions): 'project' | 'user' => (project === true ? 'project' : 'user');
const hostArgument = () => new Argument('<host>', 'the coding agent').choices(hosts);
const scoped = (command: Command) =>
  command
    .addOption(new Option('--user', 'for everything of this user (the default)').conflicts('project'))
    .option('--project', 'for the project in this folder');
const hostProgram = ['--host-program <file>', 'the program of the host; default: found on PATH'] as const;
const json = ['--json', 'one JSON document on standard output'] as const;

/** `al hook`: one gate for coding agents. */
export function registerHook(program: Command, context: ProgramContext): void {
  const { end } = context;
  const hook = program
    .command('hook')
    .description('hold the tool calls of a coding agent until they are cleared');

  scoped(hook.command('install'))
    .description('put the hook into the settings of a coding agent; again: brings it up to date')
    .addArgument(hostArgument())
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
      const { installHook } = await commands();
      const request = {
        ...{ scope: scopeOf(options), baseUrl: options.baseUrl, keyFile: options.keyFile },
        ...{ hostProgram: options.hostProgram, acceptOlder: options.acceptOlder === true },
        print: options.print === true,
      } as const;
      await installHook(host, request, context);
    });

  scoped(hook.command('uninstall'))
    .description('take the hook out of the settings again')
    .addArgument(hostArgument())
    .action(async (host: Host, options: ScopeOptions) => {
      const { uninstallHook } = await commands();
      await uninstallHook(host, scopeOf(options), context);
    });

  hook
    .command('status')
    .description('where the hook is installed, and whether it holds')
    .addArgument(new Argument('[host]', 'the coding agent').choices(hosts))
    .option(...hostProgram)
    .option(...json)
    .action(async (host: Host | undefined, options: HostOptions) => {
      const { showHookStatus } = await commands();
      end(await showHookStatus(host, hostOptions(options), context));
    });

  hook
    .command('test')
    .description('break the hook on purpose under the real host, and see whether its calls were stopped')
    .addArgument(hostArgument())
    .option(...hostProgram)
    .option(...json)
    .action(async (host: Host, options: HostOptions) => {
      const { testHook } = await commands();
      end(await testHook(host, hostOptions(options), context));
    });

  for (const host of hosts)
    hook
      .command(host)
      .description(`what ${hostNames[host]} runs before a call: reads it from standard input`)
      .requiredOption('--rules <file>', 'which calls are asked for')
      .option('--base-url <url>', 'where the system is; default: AL_BASE_URL')
      .option('--key-file <file>', 'a file with the key of the agent; default: AL_API_KEY')
      .option('--retry-for <duration>', 'how long to retry when the system cannot be reached', '15s')
      .action(async ({ rules, baseUrl, keyFile, retryFor }: RunOptions) => {
        const { holdCall } = await commands();
        end(await holdCall(host, { rules, baseUrl, keyFile, retryFor }, context));
      });
}

const hostOptions = ({ hostProgram: file, json: asJson }: HostOptions) => ({
  hostProgram: file,
  json: asJson === true,
});
