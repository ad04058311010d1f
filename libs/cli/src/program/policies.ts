import type { Command } from 'commander';
import { calls, common, limitOption, type ProgramContext, yesOption } from './registration.js';

const load = () => import('../commands/policies.js');

export function registerPolicies(program: Command, context: ProgramContext): void {
  const policies = program.command('policies').description('the rules that actions are judged by');
  common(policies.command('list'))
    .description('the policies of the workspace')
    .option('--action-type <type>', 'only those for this action type, as it is written in the policy')
    .option('--active', 'only those in force')
    .option(...limitOption)
    .action(
      calls<{ actionType?: string; active?: true; limit: number }>(context, async (ports, options) =>
        (await load()).listPolicies(options, ports),
      ),
    );
  common(policies.command('show'))
    .description('one policy with its conditions')
    .argument('<policy>', 'id or name')
    .action(calls(context, async (ports, _, [policy = '']) => (await load()).showPolicy(policy, ports)));
  common(policies.command('create'))
    .description('create a policy')
    .argument('<json>', 'JSON object, @file, or - for standard input')
    .action(calls(context, async (ports, _, [json = '']) => (await load()).createPolicy(json, ports)));
  common(policies.command('delete'))
    .description('delete a policy; its versions are kept')
    .argument('<policy>', 'id or name')
    .option(...yesOption)
    .action(
      calls<{ yes?: true }>(context, async (ports, { yes }, [policy = '']) =>
        (await load()).deletePolicy(policy, yes === true, ports),
      ),
    );
  for (const [name, active, description] of [
    ['activate', true, 'put a policy in force'],
    ['deactivate', false, 'take a policy out of force, without deleting it'],
  ] as const)
    common(policies.command(name))
      .description(description)
      .argument('<policy>', 'id or name')
      .action(
        calls(context, async (ports, _, [policy = '']) =>
          (await load()).activatePolicy(policy, active, ports),
        ),
      );
  common(policies.command('test'))
    .description(
      'what would be answered for an agent now: exits 0 allowed, 1 denied, 2 a person would decide',
    )
    .argument('<action>', 'in dot-notation, such as deploy.production')
    .option('--metadata <json>', 'JSON object, @file, or - for standard input', '{}')
    .option('--agent <agent>', 'id or name of the agent that would ask')
    .action(
      calls<{ metadata: string; agent?: string }>(
        context,
        async (ports, { metadata, agent }, [action = '']) => {
          const { check } = await import('../commands/check.js');
          return check({ action, metadata, agent }, ports);
        },
      ),
    );
}
