import type { DeliveryStatus } from '@agentlattice/contracts';
import { type Command, Option } from 'commander';
import { calls, common, limitOption, type ProgramContext } from './registration.js';

const statuses = [
  'pending',
  'delivered',
  'kept',
  'superseded',
  'dead',
] as const satisfies readonly DeliveryStatus[];
const load = () => import('../commands/deliveries.js');

export function registerDeliveries(program: Command, context: ProgramContext): void {
  const deliveries = program
    .command('deliveries')
    .description('what channels were told, and whether it arrived');
  common(deliveries.command('list'))
    .description('deliveries, newest first')
    .addOption(new Option('--status <status>').choices(statuses))
    .option('--channel <id>', 'only of this channel')
    .option('--approval <id>', 'only about this request')
    .option(...limitOption)
    .action(
      calls<{ status?: DeliveryStatus; channel?: string; approval?: string; limit: number }>(
        context,
        async (ports, options) => (await load()).listDeliveries(options, ports),
      ),
    );
  common(deliveries.command('show'))
    .description('one delivery with its attempts')
    .argument('<id>')
    .action(calls(context, async (ports, _, [id = '']) => (await load()).showDelivery(id, ports)));
  common(deliveries.command('redeliver'))
    .description('send a delivery again, under the same id')
    .argument('<id>')
    .action(calls(context, async (ports, _, [id = '']) => (await load()).redeliver(id, ports)));
}
