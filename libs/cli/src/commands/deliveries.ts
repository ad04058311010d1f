import { type DeliveryStatus, type DeliveryView, routes } from '@agentlattice/contracts';
import { exitCode, Failure } from '../exit-code.js';
import type { Ports } from '../ports.js';
import { factsText } from '../render/facts-text.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { clockText, spanText } from '../render/time-text.js';
import { firstOf, printDone, printList } from './lists.js';

interface Filter {
  readonly status?: DeliveryStatus;
  readonly channel?: string;
  readonly approval?: string;
}

const read =
  ({ api }: Ports, { status, channel, approval }: Filter = {}) =>
  async (page: { limit: number; cursor: string | undefined }) => {
    const { deliveries, next_cursor } = await api.call(routes.listDeliveries, {
      query: { status, channel_id: channel, approval_id: approval, ...page },
    });
    return { items: deliveries, next_cursor };
  };

export async function listDeliveries({ limit, ...filter }: Filter & { limit: number }, ports: Ports) {
  const now = Date.now();
  printList(ports, await firstOf(limit, read(ports, filter)), {
    name: 'deliveries',
    none: 'There is no such delivery.',
    columns: [
      { head: 'ID' },
      { head: 'EVENT' },
      { head: 'TO' },
      { head: 'STATUS', paint: statusStyle(ports.style) },
      { head: 'ATTEMPTS', optional: true },
      { head: 'AGE', optional: true },
      { head: 'ERROR', shrinksTo: 10 },
    ],
    row: ({ id, event_type, channel_id, recipient, status, attempts_made, created_at, error }) => [
      id,
      event_type,
      channel_id ?? shortText(recipient ?? '', 40),
      status,
      String(attempts_made),
      spanText(now - Date.parse(created_at)),
      shortText(error ?? '', 120),
    ],
  });
}

export async function showDelivery(id: string, ports: Ports): Promise<void> {
  const delivery = await find(id, ports);
  if (ports.json) return ports.terminal.print(safeJson(delivery, 2));
  const { attempts } = delivery;
  ports.terminal.print(
    factsText(
      [
        ['Delivery', delivery.id],
        ['Event', `${delivery.event_type} ${safeText(delivery.event_id)}`],
        ['Request', delivery.approval_id ?? ''],
        ['To', delivery.channel_id ?? safeText(delivery.recipient ?? '')],
        ['Status', statusStyle(ports.style)(delivery.status)],
        ['Created', clockText(delivery.created_at)],
        ['Delivered', delivery.delivered_at === null ? '' : clockText(delivery.delivered_at)],
        ['Next', delivery.next_attempt_at === null ? '' : clockText(delivery.next_attempt_at)],
        ['Error', safeText(delivery.error ?? '')],
        ['Subject', safeText(delivery.mail?.subject ?? '')],
      ],
      ports.style,
    ),
  );
  if (attempts.length > 0) ports.terminal.print('\nAttempts');
  for (const { number, at, duration_ms, status, error, answer } of attempts)
    ports.terminal.print(
      `  ${String(number)}  ${clockText(at)}  ${String(duration_ms)} ms  ${status === null ? '' : String(status)} ${safeText(error ?? '')} ${shortText(answer ?? '', 200)}`.trimEnd(),
    );
}

/** The API lists deliveries and has no route for one. */
async function find(id: string, ports: Ports): Promise<DeliveryView> {
  const readPage = read(ports);
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof readPage>> = await readPage({
      limit: 200,
      cursor: cursor ?? undefined,
    });
    const found = page.items.find((delivery) => delivery.id === id);
    if (found !== undefined) return found;
    cursor = page.next_cursor;
  } while (cursor !== null);
  throw new Failure(
    exitCode.refused,
    `There is no delivery ${safeText(id)}. \`al deliveries list\` shows what there is.`,
    'NOT_FOUND',
  );
}

export async function redeliver(id: string, ports: Ports): Promise<void> {
  const delivery = await ports.api.call(routes.redeliver, {
    params: { delivery_id: id },
    body: '{}',
    repeatable: false,
  });
  printDone(
    ports,
    delivery,
    `${delivery.id}: is sent again; al deliveries show ${delivery.id} tells how it went`,
  );
}
