import { randomUUID } from 'node:crypto';
import { approvalStatuses, durationMs } from '@agentlattice/contracts';
import { Command, InvalidArgumentError, Option } from 'commander';
import { Api } from './api-calls.js';
import { approve, deny, listApprovals, showApproval } from './commands/approvals.js';
import { gate } from './commands/gate.js';
import { readConfig } from './config.js';
import { aListOfObjects, anObject, readJsonArgument } from './read-argument.js';
import { safeText } from './render/safe-text.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

export interface ProgramContext {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly terminal: Terminal;
  readonly stdin: NodeJS.ReadableStream;
  /** The arguments after `--`; null where there are none. */
  readonly command: readonly string[] | null;
  /** Takes the exit code. */
  readonly end: (code: number) => void;
}

interface CommonOptions {
  readonly json?: true;
  readonly retryFor: number;
}

const duration = (text: string): number => {
  const ms = durationMs(text);
  if (ms === null || ms <= 0) throw new InvalidArgumentError('Give a duration such as 90s, 45m or 8h.');
  return ms;
};
const count = (text: string): number => {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('Give a number from 1.');
  return Number(text);
};
const headerText = (text: string): string => {
  if (!/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(text))
    throw new InvalidArgumentError('Give 1 to 255 printable ASCII characters.');
  return text;
};

const environment = `
Environment:
  AL_API_KEY   the key: an agent's for gate, an operator's for approvals
  AL_BASE_URL  where the system is; else as the last npm start wrote it down in
               $AL_DATA_DIR/credentials.json; else http://127.0.0.1:3000

Exit codes: 0 done, approved or allowed · 1 denied or refused · 2 timed out ·
            3 usage or configuration · 4 the system cannot be reached`;

/** Declares every command and option; the commands are implemented in commands/. */
export function makeProgram(context: ProgramContext): Command {
  const { terminal, end } = context;
  const program = new Command('al')
    .description('Ask before an agent acts; decide the requests of agents.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.say(text.trimEnd()),
    })
    .showHelpAfterError('(--help shows how)')
    .addHelpText('after', environment);
  const apiOf = async ({ retryFor }: CommonOptions) => {
    const config = await readConfig(context.env, context.folder);
    const onAway = (reason: string) =>
      terminal.say(
        `${config.baseUrl} does not answer (${safeText(reason)}); trying again for ${String(retryFor / 1_000)} s`,
      );
    return new Api({ ...config, retryForMs: retryFor, onAway });
  };
  const common = (command: Command) =>
    command
      .option('--json', 'one JSON document on standard output')
      .addOption(
        new Option('--retry-for <duration>', 'how long to retry when the system cannot be reached')
          .argParser(duration)
          .default(30_000, '30s'),
      );

  common(program.command('gate'))
    .description('submit an action; wait until it is approved or denied; run COMMAND only after approval')
    .usage('[options] ACTION [-- COMMAND …]')
    .argument('<action>', 'in dot-notation, such as deploy.production')
    .option('--metadata <json>', 'JSON object, @file, or - for standard input', '{}')
    .option('--data-accessed <json>', 'JSON list of objects, @file, or -', '[]')
    .option('--event-id <id>', 'idempotency key: the same one gets the first answer again', headerText)
    .option(
      '--timeout <duration>',
      'stop waiting after this long and withdraw the request (exit 2)',
      duration,
    )
    .action(async (action: string, options: CommonOptions & GateOptions) => {
      const [metadata, dataAccessed] = [
        await readJsonArgument('--metadata', options.metadata, anObject, context.stdin),
        await readJsonArgument('--data-accessed', options.dataAccessed, aListOfObjects, context.stdin),
      ];
      const request = {
        action,
        metadata,
        dataAccessed,
        eventId: options.eventId ?? randomUUID(),
        timeoutMs: options.timeout ?? null,
        command: context.command ?? [],
        json: options.json === true,
      };
      end(await gate(request, { api: await apiOf(options), terminal }));
    });

  const approvals = program.command('approvals').description('the requests that wait for a person');
  common(approvals.command('list'))
    .description('the queue, nearest deadline first')
    .addOption(
      new Option('--status <status>', 'pending includes escalated')
        .choices([...approvalStatuses, 'any'])
        .default('pending'),
    )
    .option('--action-type <type>', 'only of this action')
    .option('--limit <n>', 'at most this many', count, 50)
    .action(async ({ status, actionType, limit, ...options }: CommonOptions & ListOptions) => {
      const request = {
        status: status === 'any' ? undefined : status,
        actionType,
        limit,
        json: options.json === true,
      };
      await listApprovals(request, { api: await apiOf(options), terminal });
    });
  common(approvals.command('show'))
    .description('one request with everything you need to decide')
    .argument('<id>')
    .action(async (id: string, options: CommonOptions) =>
      showApproval({ id, json: options.json === true }, { api: await apiOf(options), terminal }),
    );
  common(approvals.command('approve'))
    .description('approve a request')
    .argument('<id>')
    .option('--reason <text>', 'kept with the decision')
    .option('--forever', 'also change the policy so that it no longer asks; needs the role admin')
    .addOption(
      new Option('--for <what>', 'with --forever: the governing policy, or only this action type')
        .choices(['policy', 'action_type'])
        .implies({ forever: true }),
    )
    .action(
      async (id: string, { reason, forever, for: what, ...options }: CommonOptions & ApproveOptions) => {
        const foreverFor = forever === true ? (what ?? 'policy') : undefined;
        await approve(
          { id, reason, foreverFor, json: options.json === true },
          { api: await apiOf(options), terminal },
        );
      },
    );
  common(approvals.command('deny'))
    .description('deny a request')
    .argument('<id>')
    .option('--reason <text>', 'kept with the decision')
    .action(async (id: string, { reason, ...options }: CommonOptions & { reason?: string }) =>
      deny({ id, reason, json: options.json === true }, { api: await apiOf(options), terminal }),
    );
  common(program.command('mcp'))
    .description('serve an MCP client (an assistant) over standard input and output')
    .action(async ({ retryFor }: CommonOptions) => {
      const config = { ...(await readConfig(context.env, context.folder)), retryForMs: retryFor };
      const { mcp } = await import('./commands/mcp.js');
      await mcp({ config, input: process.stdin, output: process.stdout, terminal });
    });
  return program;
}

interface GateOptions {
  readonly metadata: string;
  readonly dataAccessed: string;
  readonly eventId?: string;
  readonly timeout?: number;
}
interface ListOptions {
  readonly status: string;
  readonly actionType: string | undefined;
  readonly limit: number;
}
interface ApproveOptions {
  readonly reason: string | undefined;
  readonly forever?: boolean;
  readonly for?: 'policy' | 'action_type';
}
