import type { Command } from 'commander';
import { actionOptions, readAction } from './gate.js';
import { calls, common, type ProgramContext } from './registration.js';

export function registerActions(program: Command, context: ProgramContext): void {
  actionOptions(common(program.command('execute')))
    .description('submit an action and return at once; exits 2 while a person must decide')
    .action(
      calls<{ metadata: string; dataAccessed: string; eventId?: string }>(
        context,
        async (ports, options, [action = '']) => {
          const asked = await readAction(action, options, context.stdin);
          const { execute } = await import('../commands/execute.js');
          return execute(asked, ports);
        },
      ),
    );
  common(program.command('check'))
    .description(
      'what would be answered now: exits 0 allowed, 1 denied, 2 a person would decide; writes nothing',
    )
    .argument('<action>', 'in dot-notation, such as deploy.production')
    .option('--metadata <json>', 'JSON object, @file, or - for standard input', '{}')
    .action(
      calls<{ metadata: string }>(context, async (ports, { metadata }, [action = '']) => {
        const { check } = await import('../commands/check.js');
        return check({ action, metadata, agent: undefined }, ports);
      }),
    );
}
