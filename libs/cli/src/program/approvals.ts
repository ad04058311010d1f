import type { ApprovalView } from '@agentlattice/contracts';
import { type Command, Option } from 'commander';
import { calls, common, limitOption, type ProgramContext } from './registration.js';

const statuses = [
  'pending',
  'escalated',
  'approved',
  'denied',
  'timed_out',
  'cancelled',
  'decided',
] as const satisfies readonly (ApprovalView['status'] | 'decided')[];

const load = () => import('../commands/approvals.js');

export function registerApprovals(program: Command, context: ProgramContext): void {
  const approvals = program.command('approvals').description('the requests that wait for a person');
  common(approvals.command('list'))
    .description('the queue, nearest deadline first')
    .addOption(
      new Option('--status <status>', 'pending includes escalated')
        .choices([...statuses, 'any'])
        .default('pending'),
    )
    .option('--action-type <type>', 'only of this action')
    .option('--search <text>', 'only those with this text in the action, names or metadata')
    .option(...limitOption)
    .action(
      calls<{ status: string; actionType?: string; search?: string; limit: number }>(
        context,
        async (ports, options) => (await load()).listApprovals(options, ports),
      ),
    );
  common(approvals.command('show'))
    .description('one request with everything you need to decide')
    .argument('<id>')
    .action(calls(context, async (ports, _, [id = '']) => (await load()).showApproval(id, ports)));
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
      calls<{ reason?: string; forever?: boolean; for?: 'policy' | 'action_type' }>(
        context,
        async (ports, { reason, forever, for: what }, [id = '']) => {
          const foreverFor = forever === true ? (what ?? 'policy') : undefined;
          return (await load()).approve({ id, reason, foreverFor }, ports);
        },
      ),
    );
  common(approvals.command('deny'))
    .description('deny a request')
    .argument('<id>')
    .option('--reason <text>', 'kept with the decision')
    .action(
      calls<{ reason?: string }>(context, async (ports, { reason }, [id = '']) =>
        (await load()).deny({ id, reason }, ports),
      ),
    );
  common(approvals.command('cancel'))
    .description('withdraw a request; with the key of the agent that made it')
    .argument('<id>')
    .option('--reason <text>', 'kept with the request')
    .action(
      calls<{ reason?: string }>(context, async (ports, { reason }, [id = '']) =>
        (await load()).cancelApproval({ id, reason }, ports),
      ),
    );
  common(approvals.command('watch'))
    .description('a live list in which you read and decide; without a terminal one line for each event')
    .option('--action-type <type>', 'only of this action')
    .action(
      calls<{ actionType?: string }>(context, async (ports, { actionType }) => {
        const { watchApprovals } = await import('../commands/watch/watch-approvals.js');
        return watchApprovals({ actionType }, ports);
      }),
    );
}
