import { type Command, Option } from 'commander';
import { calls, common, limitOption, type ProgramContext } from './registration.js';

const load = () => import('../commands/agents.js');

export function registerAgents(program: Command, context: ProgramContext): void {
  const agents = program.command('agents').description('the programs that ask');
  common(agents.command('list'))
    .description('the agents of the workspace')
    .option(...limitOption)
    .action(
      calls<{ limit: number }>(context, async (ports, { limit }) => (await load()).listAgents(limit, ports)),
    );
  common(agents.command('show'))
    .description('one agent')
    .argument('<agent>', 'id or name')
    .action(calls(context, async (ports, _, [agent = '']) => (await load()).showAgent(agent, ports)));
  registerAgent(agents, context);
  common(agents.command('suspend'))
    .description('deny everything the agent submits until it is resumed')
    .argument('<agent>', 'id or name')
    .option('--reason <text>', 'shown with the agent')
    .addOption(
      new Option('--pending <what>', 'what happens to its open requests')
        .choices(['keep', 'cancel'])
        .default('keep'),
    )
    .action(
      calls<{ reason?: string; pending: 'keep' | 'cancel' }>(context, async (ports, options, [agent = '']) =>
        (await load()).suspendAgent({ agent, ...options }, ports),
      ),
    );
  common(agents.command('resume'))
    .description('judge the agent by the policies again')
    .argument('<agent>', 'id or name')
    .action(calls(context, async (ports, _, [agent = '']) => (await load()).resumeAgent(agent, ports)));
}

/** `al register` and `al agents register` are the same. */
export function registerAgent(parent: Command, context: ProgramContext): void {
  common(parent.command('register'))
    .description('make an agent and show its key, once')
    .argument('<name>')
    .option('--description <text>')
    .action(
      calls<{ description?: string }>(
        context,
        async (ports, { description }, [name = '']) =>
          (await load()).registerAgent({ name, description }, ports),
        ['AL_SERVICE_KEY', 'AL_API_KEY'],
      ),
    );
}
