import type { ChannelView } from '@agentlattice/contracts';
import { type Command, Option } from 'commander';
import { calls, common, limitOption, type ProgramContext, several, yesOption } from './registration.js';

const types = ['email', 'webhook'] as const satisfies readonly ChannelView['type'][];
const load = () => import('../commands/channels.js');

export interface NewChannelOptions {
  readonly type: ChannelView['type'];
  readonly to?: readonly string[];
  readonly url?: string;
  readonly event?: readonly string[];
}

export function registerChannels(program: Command, context: ProgramContext): void {
  const channels = program.command('channels').description('where people and systems are told');
  common(channels.command('list'))
    .description('the channels of the workspace')
    .option(...limitOption)
    .action(
      calls<{ limit: number }>(context, async (ports, { limit }) =>
        (await load()).listChannels(limit, ports),
      ),
    );
  common(channels.command('create'))
    .description('create a channel; shows the secret of a webhook, once')
    .argument('<name>')
    .addOption(new Option('--type <type>').choices(types).makeOptionMandatory())
    .option('--to <address>', 'of type email, may be given several times', several)
    .option('--url <url>', 'of type webhook')
    .option(
      '--event <type>',
      'what it is told, may be given several times; default: requests and their ends',
      several,
    )
    .action(
      calls<NewChannelOptions>(context, async (ports, options, [name = '']) =>
        (await load()).createChannel({ name, ...options }, ports),
      ),
    );
  common(channels.command('test'))
    .description('send a test now, and show the answer')
    .argument('<channel>', 'id or name')
    .action(calls(context, async (ports, _, [channel = '']) => (await load()).testChannel(channel, ports)));
  common(channels.command('delete'))
    .description('delete a channel; its deliveries stay listed')
    .argument('<channel>', 'id or name')
    .option(...yesOption)
    .action(
      calls<{ yes?: true }>(context, async (ports, { yes }, [channel = '']) =>
        (await load()).deleteChannel(channel, yes === true, ports),
      ),
    );
}
