import type { ApprovalView } from '@agentlattice/contracts';
import { approvalText } from '../../render/approval-text.js';
import { columnsText, cut, wrapped } from '../../render/columns.js';
import { safeText, shortText } from '../../render/safe-text.js';
import type { Style } from '../../render/style.js';
import { spanText } from '../../render/time-text.js';
import { seatsText } from '../../render/vote-text.js';
import type { WatchState } from './watch-state.js';

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** On the clock of the events. */
  readonly now: number;
  readonly style: Style;
}

/** The lines of the screen, at most `rows` of at most `columns`. */
export function watchLines(state: WatchState, screen: Screen): string[] {
  const { rows } = screen;
  const foot = footLines(state, screen);
  const head = headLine(state, screen);
  const room = Math.max(1, rows - 2 - foot.length);
  const body =
    state.page.kind === 'list' ? listLines(state, screen, room) : requestLines(state, screen, room);
  return [head, '', ...body, ...Array<string>(Math.max(0, room - body.length)).fill(''), ...foot].slice(
    -rows,
  );
}

function headLine(
  { approvals, isRead, lostAt, isConnected }: WatchState,
  { columns, now, style }: Screen,
): string {
  const count = !isRead
    ? 'reading the requests …'
    : approvals.length === 1
      ? '1 request waits'
      : `${String(approvals.length)} requests wait`;
  if (lostAt !== null) {
    const text = `${count} · connection lost ${spanText(now - lostAt)} ago; this may be old; trying again`;
    return style.bad(cut(text, columns));
  }
  return style.bold(cut(`${count} · ${isConnected ? 'live' : 'connecting …'}`, columns));
}

/** Milliseconds that are left, counted on from when the system said so. */
const leftOf = ({ time_left_seconds }: ApprovalView, readAt: number, now: number) =>
  time_left_seconds * 1_000 - (now - readAt);

function listLines(state: WatchState, screen: Screen, room: number): string[] {
  const { approvals, readAt, selected, isRead } = state;
  const { columns, now, style } = screen;
  if (approvals.length === 0) return isRead ? [style.dim('Nothing waits for a decision.')] : [];
  const place = Math.max(
    0,
    approvals.findIndex(({ id }) => id === selected),
  );
  const visible = Math.max(1, room - 1);
  const first = Math.min(
    Math.max(0, place - Math.floor(visible / 2)),
    Math.max(0, approvals.length - visible),
  );
  const rows = approvals
    .slice(first, first + visible)
    .map((approval) => [
      spanText(leftOf(approval, readAt, now)),
      safeText(approval.action_type),
      shortText(approval.agent.name, 80),
      shortText(approval.policy_name, 80),
      seatsText(approval),
      approval.status === 'escalated' ? 'escalated' : approval.can_decide === false ? 'not yours' : '',
    ]);
  const table = columnsText(
    [
      { head: 'TIME LEFT' },
      { head: 'ACTION', shrinksTo: 12 },
      { head: 'AGENT', shrinksTo: 8 },
      { head: 'POLICY', shrinksTo: 8 },
      { head: 'NEEDS', shrinksTo: 8 },
      { head: '' },
    ],
    rows,
    columns - 2,
  ).split('\n');
  return table.map((line, i) => {
    if (i === 0) return style.bold(cut(`  ${line}`, columns));
    const approval = approvals[first + i - 1];
    if (approval === undefined) return '';
    if (approval.id === selected) return style.selected(cut(`▸ ${line}`.padEnd(columns - 1), columns));
    const text = cut(`  ${line}`, columns);
    return leftOf(approval, readAt, now) < 300_000 ? style.open(text) : text;
  });
}

function requestLines({ page }: WatchState, { columns, now, style }: Screen, room: number): string[] {
  if (page.kind !== 'request') return [];
  if (page.view === null) return [style.dim('reading the request …')];
  const left = leftOf(page.view, page.readAt, now);
  const ticking = { ...page.view, time_left_seconds: Math.max(0, left / 1_000) };
  const lines = wrapped(approvalText(ticking), columns);
  const first = Math.min(page.scroll, Math.max(0, lines.length - room));
  const hidden = lines.length - first - room;
  if (hidden <= 0) return lines.slice(first, first + room);
  return [
    ...lines.slice(first, first + room - 1),
    style.open(cut(`▾ ${String(hidden + 1)} more lines`, columns)),
  ];
}

function footLines({ page, note }: WatchState, { columns, style }: Screen): string[] {
  const said =
    note === null
      ? []
      : wrapped(safeText(note.text), columns)
          .slice(0, 3)
          .map(note.kind === 'good' ? style.good : style.bad);
  const keys = (text: string) => style.dim(cut(text, columns));
  if (page.kind === 'list')
    return ['', ...said, keys('↑↓ j k select · enter read · a approve · d deny · r refresh · q quit')];
  if (page.decision === null) return ['', ...said, keys('↑↓ j k scroll · a approve · d deny · esc back')];
  const { verdict, reason, isSent } = page.decision;
  const paint = verdict === 'approve' ? style.good : style.bad;
  const name =
    page.view === null
      ? page.id
      : `${safeText(page.view.action_type)} of ${shortText(page.view.agent.name, 40)}`;
  const question = `${verdict === 'approve' ? 'Approve' : 'Deny'} ${name}?`;
  if (isSent) return ['', ...said, paint(cut(`${question} Sending …`, columns))];
  const typed = wrapped(`Reason (may be empty): ${safeText(reason)}_`, columns).slice(-3);
  return [
    '',
    ...said,
    paint(cut(question, columns)),
    ...typed,
    keys(`enter ${verdict} · esc back · ↑↓ scroll`),
  ];
}
