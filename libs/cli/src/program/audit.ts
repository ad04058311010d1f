import type { Command } from 'commander';
import { calls, common, count, limitOption, type ProgramContext } from './registration.js';

const filters = (command: Command): Command =>
  command
    .option('--type <type>', 'only this type, such as approval.approved')
    .option('--decision <decision>', 'only this decision, such as denied')
    .option('--action-type <type>', 'only of this action')
    .option('--agent <id>', 'only of this agent')
    .option('--operator <id>', 'only what this member did')
    .option('--policy <id>', 'only of this policy')
    .option('--approval <id>', 'only of this request');

export interface AuditFilters {
  readonly type?: string;
  readonly decision?: string;
  readonly actionType?: string;
  readonly agent?: string;
  readonly operator?: string;
  readonly policy?: string;
  readonly approval?: string;
}

const load = () => import('../commands/audit-search.js');

export function registerAudit(program: Command, context: ProgramContext): void {
  const audit = program.command('audit').description('the log that an outsider can verify');
  filters(common(audit.command('tail')))
    .description('the newest entries, oldest first')
    .option('-n, --lines <n>', 'how many', count, 20)
    .option('-f, --follow', 'go on with new entries until it is interrupted')
    .action(
      calls<AuditFilters & { lines: number; follow?: true }>(
        context,
        async (ports, { lines, follow, ...filter }) =>
          (await load()).tailAudit({ ...filter, lines, follow: follow === true }, ports),
      ),
    );
  filters(common(audit.command('search')))
    .description('entries by their content, newest first')
    .option('--from <time>', 'from this time (RFC 3339)')
    .option('--to <time>', 'before this time (RFC 3339)')
    .option(...limitOption)
    .action(
      calls<AuditFilters & { from?: string; to?: string; limit: number }>(context, async (ports, options) =>
        (await load()).searchAudit(options, ports),
      ),
    );
  common(audit.command('export'))
    .description('entries, disclosed values, checkpoint and key as one archive (.tar.gz)')
    .argument('<file>', 'is written when it is complete; must not exist')
    .action(
      calls(context, async (ports, _, [file = '']) => {
        const { exportAudit } = await import('../commands/audit/export-audit.js');
        return exportAudit(file, ports);
      }),
    );
  audit
    .command('verify')
    .description('check an archive offline; without FILE ask the system for its own last check')
    .argument('[file]', 'an archive of al audit export')
    .option('--key <key>', 'the key that you trust, or @file: not the one in the archive')
    .option('--json', 'one JSON document on standard output')
    .option('--no-color', 'no colours, as with NO_COLOR in the environment')
    .option('--retry-for <duration>', 'how long to retry when the system cannot be reached', '30s')
    .action(
      async (
        file: string | undefined,
        options: { key?: string; json?: true; color: boolean; retryFor: string },
      ) => {
        if (file === undefined) {
          const ask = calls(context, async (ports) => (await load()).askForVerification(ports));
          return ask(options, audit);
        }
        const { verifyArchive } = await import('../commands/audit/verify-archive.js');
        const request = { file, key: options.key, json: options.json === true, color: options.color };
        context.end(await verifyArchive(request, context));
      },
    );
}
