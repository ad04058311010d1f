import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditEvent, routes } from '@agentlattice/contracts';
import { exitCode } from '../exit-code.js';
import type { Ports } from '../ports.js';
import type { AuditFilters } from '../program/audit.js';
import { type Column, columnsText } from '../render/columns.js';
import { personText } from '../render/person-text.js';
import { safeJson, safeText, shortText } from '../render/safe-text.js';
import { statusStyle } from '../render/style.js';
import { clockText } from '../render/time-text.js';
import { firstOf, printList, tableWidth } from './lists.js';

const read =
  ({ api }: Ports, filter: AuditFilters & { from?: string; to?: string }) =>
  async (page: { limit: number; cursor: string | undefined }) => {
    const { events, next_cursor } = await api.call(routes.listAuditEvents, {
      query: {
        type: filter.type,
        decision: filter.decision,
        action_type: filter.actionType,
        agent_id: filter.agent,
        operator_id: filter.operator,
        policy_id: filter.policy,
        approval_id: filter.approval,
        from_time: filter.from,
        to_time: filter.to,
        ...page,
      },
    });
    return { items: events, next_cursor };
  };

const columnsOf = ({ style }: Ports): readonly Column[] => [
  { head: 'ENTRY' },
  { head: 'TIME' },
  { head: 'TYPE', shrinksTo: 14 },
  { head: 'ACTION', shrinksTo: 8 },
  { head: 'AGENT', shrinksTo: 8, optional: true },
  { head: 'BY', shrinksTo: 8 },
  { head: 'STATUS', paint: statusStyle(style) },
  { head: 'REASON', shrinksTo: 8, optional: true },
];

const rowOf = (event: AuditEvent) => [
  String(event.seq),
  clockText(event.timestamp),
  event.type,
  shortText(event.action_type ?? '', 80),
  shortText(event.agent?.name ?? '', 60),
  event.operator === null ? '' : personText(event.operator.id, event.operator.name),
  safeText(event.status),
  shortText([event.denial_reason, event.reason, event.note].find((text) => (text ?? '') !== '') ?? '', 120),
];

export async function searchAudit(
  { limit, ...filter }: AuditFilters & { from?: string; to?: string; limit: number },
  ports: Ports,
): Promise<void> {
  printList(ports, await firstOf(limit, read(ports, filter)), {
    name: 'events',
    none: 'There is no such entry.',
    columns: columnsOf(ports),
    row: rowOf,
  });
}

const followEveryMs = 1_500;

/** The newest entries, then new ones as they come. With --json one entry a line (NDJSON) while it follows. */
export async function tailAudit(
  { lines, follow, ...filter }: AuditFilters & { lines: number; follow: boolean },
  ports: Ports,
): Promise<void> {
  const { terminal, json } = ports;
  const readPage = read(ports, filter);
  const newest = await firstOf(lines, readPage);
  const entries = [...newest.items].reverse();
  if (!follow) {
    printList(
      ports,
      { items: entries, next_cursor: null },
      { name: 'events', none: 'There is no such entry.', columns: columnsOf(ports), row: rowOf },
    );
    return;
  }
  const print = (events: readonly AuditEvent[], withHead: boolean) => {
    if (json) for (const event of events) terminal.print(safeJson(event));
    else if (events.length > 0) {
      const [head = '', ...rows] = columnsText(
        columnsOf(ports),
        events.map(rowOf),
        tableWidth(terminal),
        ports.style,
      ).split('\n');
      for (const line of withHead ? [head, ...rows] : rows) terminal.print(line);
    }
  };
  print(entries, true);
  let last = entries.at(-1)?.seq ?? -1;
  for (;;) {
    await sleep(followEveryMs);
    const events = await newerThan(last, readPage);
    print(events, false);
    last = events.at(-1)?.seq ?? last;
  }
}

/** Entries behind this one, oldest first: page by page back until it is met. */
async function newerThan(last: number, readPage: ReturnType<typeof read>): Promise<AuditEvent[]> {
  const found: AuditEvent[] = [];
  let cursor: string | undefined;
  for (;;) {
    const { items, next_cursor } = await readPage({ limit: found.length === 0 ? 50 : 200, cursor });
    const newer = items.filter(({ seq }) => seq > last);
    found.push(...newer);
    if (newer.length < items.length || next_cursor === null) return found.reverse();
    cursor = next_cursor;
  }
}

/** The system's own last check. @returns 1 when the log is broken */
export async function askForVerification({ api, terminal, json, style }: Ports): Promise<number> {
  const answer = await api.call(routes.verifyAudit, { query: { wait: true }, holdMs: 10_000 });
  const code = answer.chain_valid ? exitCode.ok : exitCode.refused;
  if (json) {
    terminal.print(safeJson({ ...answer, exit_code: code }, 2));
    return code;
  }
  const at = answer.first_broken_at_seq === null ? '' : ` at entry ${String(answer.first_broken_at_seq)}`;
  terminal.print(
    answer.chain_valid
      ? `${style.good('intact')}: ${String(answer.verified_through_row)} entries, checked by the system at ${clockText(answer.timestamp)}`
      : `${style.bad('damaged')}${at}: ${safeText(answer.reason ?? '')}`,
  );
  if (!answer.complete) terminal.say('A newer check of the whole log still runs; ask again for its result.');
  terminal.say(
    'This is what the system says of itself. `al audit export FILE` and `al audit verify FILE` check it yourself.',
  );
  return code;
}
