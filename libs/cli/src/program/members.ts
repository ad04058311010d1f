import type { OperatorRole } from '@agentlattice/contracts';
import { type Command, Option } from 'commander';
import { calls, common, limitOption, type ProgramContext, several, yesOption } from './registration.js';

export const roles = ['viewer', 'member', 'admin'] as const satisfies readonly OperatorRole[];
const load = () => import('../commands/members.js');

export function registerMembers(program: Command, context: ProgramContext): void {
  const members = program.command('members').description('the people who decide');
  common(members.command('list'))
    .description('the people of the workspace')
    .option(...limitOption)
    .action(
      calls<{ limit: number }>(context, async (ports, { limit }) => (await load()).listMembers(limit, ports)),
    );
  common(members.command('invite'))
    .description('invite a person; shows the link, once')
    .argument('<email>')
    .requiredOption('--name <name>')
    .addOption(new Option('--role <role>').choices(roles).default('member'))
    .option('--group <name>', 'may be given several times', several, [])
    .action(
      calls<{ name: string; role: OperatorRole; group: readonly string[] }>(
        context,
        async (ports, { name, role, group }, [email = '']) =>
          (await load()).inviteMember({ email, name, role, groups: group }, ports),
      ),
    );
  common(members.command('change'))
    .description('change the name, role or groups of a member')
    .argument('<member>', 'id or e-mail address')
    .option('--name <name>')
    .addOption(new Option('--role <role>').choices(roles))
    .option('--group <name>', 'all groups of the member; may be given several times', several)
    .option('--no-groups', 'the member is in no group')
    .action(
      calls<{ name?: string; role?: OperatorRole; group?: readonly string[]; groups: boolean }>(
        context,
        async (ports, { name, role, group, groups }, [member = '']) =>
          (await load()).changeMember({ member, name, role, groups: groups ? group : [] }, ports),
      ),
    );
  common(members.command('remove'))
    .description('remove a member, or take an invitation back')
    .argument('<member>', 'id or e-mail address')
    .option(...yesOption)
    .action(
      calls<{ yes?: true }>(context, async (ports, { yes }, [member = '']) =>
        (await load()).removeMember(member, yes === true, ports),
      ),
    );
}
