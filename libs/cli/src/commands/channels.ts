import { type ChannelView, outgoingEventTypes, routes } from '@agentlattice/contracts';
import { exitCode } from '../exit-code.js';
import { confirm, type Ports } from '../ports.js';
import type { NewChannelOptions } from '../program/channels.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { findOne, firstOf, printDone, printList, printSecret } from './lists.js';

export const readChannels =
  ({ api }: Pick<Ports, 'api'>) =>
  async (query: { limit: number; cursor: string | undefined }) => {
    const { channels, next_cursor } = await api.call(routes.listChannels, { query });
    return { items: channels, next_cursor };
  };

const findChannel = (argument: string, ports: Ports): Promise<ChannelView> =>
  findOne({ what: 'channel', argument, read: readChannels(ports), names: ({ name }) => [name] });

/** Where a channel sends to. */
export const targetOf = ({ to, url }: ChannelView): string =>
  to === undefined ? (url ?? '') : to.join(', ');

export async function listChannels(limit: number, ports: Ports): Promise<void> {
  printList(ports, await firstOf(limit, readChannels(ports)), {
    name: 'channels',
    none: 'There is no channel yet. `al channels create NAME --type webhook --url URL` makes one.',
    columns: [
      { head: 'ID' },
      { head: 'NAME', shrinksTo: 10 },
      { head: 'TYPE' },
      { head: 'TARGET', shrinksTo: 14 },
      { head: 'EVENTS', optional: true },
      { head: 'STATUS', paint: statusStyle(ports.style) },
    ],
    row: (channel) => [
      channel.id,
      shortText(channel.name, 60),
      channel.type,
      shortText(targetOf(channel), 100),
      String(channel.events.length),
      channel.enabled ? 'active' : 'disabled',
    ],
  });
}

export async function createChannel(
  { name, type, to, url, event: events }: NewChannelOptions & { name: string },
  ports: Ports,
): Promise<void> {
  const told = events ?? outgoingEventTypes.filter((each) => each.startsWith('approval.'));
  const made = await ports.api.call(routes.createChannel, {
    body: JSON.stringify({ type, name, events: told, to, url }),
    repeatable: false,
  });
  const about = `${made.id}: ${safeText(made.name)} sends to ${safeText(targetOf(made))}`;
  if (made.secret === undefined) return printDone(ports, made, about);
  printSecret(ports, made, `${about}. The secret that signs is shown this once:`, made.secret);
}

/** @returns 1 when the test did not arrive */
export async function testChannel(argument: string, ports: Ports): Promise<number> {
  const { id, name } = await findChannel(argument, ports);
  const test = await ports.api.call(routes.testChannel, {
    params: { channel_id: id },
    body: '{}',
    repeatable: false,
    holdMs: 30_000,
  });
  const { outcome, duration_ms, request, answer, error } = test;
  const code = outcome === 'failed' ? exitCode.refused : exitCode.ok;
  if (ports.json) ports.terminal.print(safeJson(test, 2));
  else {
    ports.terminal.print(
      `${id}: ${safeText(name)}: ${statusStyle(ports.style)(outcome)} in ${String(duration_ms)} ms (${safeText(request.method)} ${safeText(request.target)})`,
    );
    if (answer !== null)
      ports.terminal.print(`  answer ${String(answer.status ?? '')}: ${shortText(answer.body, 300)}`);
    if (error !== null) ports.terminal.say(`  ${safeText(error)}`);
    if (outcome === 'kept') ports.terminal.say('  SMTP_URL is not set, so mails are kept and not sent.');
  }
  return code;
}

export async function deleteChannel(argument: string, yes: boolean, ports: Ports): Promise<void> {
  const { id, name } = await findChannel(argument, ports);
  await confirm(ports, `Delete the channel ${safeText(name)}? What waits for it is not sent.`, yes);
  const gone = await ports.api.call(routes.deleteChannel, { params: { channel_id: id }, repeatable: false });
  printDone(ports, gone, `${id}: ${safeText(name)} is deleted`);
}
