import { type ApprovalView, routes } from '@agentlattice/contracts';
import type { LiveEvent } from '@agentlattice/sdk';
import { exitCode } from '../../exit-code.js';
import type { Ports } from '../../ports.js';
import { endingText } from '../../render/approval-text.js';
import { safeJson, safeText } from '../../render/safe-text.js';
import { clockText, spanText } from '../../render/time-text.js';
import { seatsText, votesText, voteText } from '../../render/vote-text.js';
import { readApprovals } from '../approvals.js';
import { firstOf } from '../lists.js';
import { approvalEventTypes, approvalIdOf } from '../live-approvals.js';
import { exitCodeOf, watchForStop } from '../stop-watch.js';
import { watchOnScreen } from './watch-screen.js';

/** A live list on a terminal; elsewhere, and with --json, a line for each event. @returns the exit code */
export async function watchApprovals(
  { actionType }: { actionType: string | undefined },
  ports: Ports,
): Promise<number> {
  const { terminal, json, stdin } = ports;
  if (terminal.isInteractive && !json && (stdin as { isTTY?: boolean }).isTTY === true)
    return watchOnScreen(ports, { actionType });
  return watchAsLines({ actionType }, ports);
}

/** First what waits already, then what happens. Begins to listen before it reads, so that nothing falls in between. */
async function watchAsLines(
  { actionType }: { actionType: string | undefined },
  ports: Ports,
): Promise<number> {
  const { api, terminal } = ports;
  const stop = watchForStop(null);
  let wasUp = false;
  const onConnection = (isUp: boolean) => {
    if (isUp && !wasUp) void waiting.then(() => terminal.say('watching; Ctrl-C ends it'));
    else
      terminal.say(
        isUp
          ? 'the connection is back; what happened meanwhile follows'
          : 'the connection is lost; trying again',
      );
    wasUp = true;
  };
  const filter = { status: 'pending', actionType };
  const events = api.events({ types: approvalEventTypes, signal: stop.signal, onConnection });
  const next = events.next();
  const waiting = firstOf<ApprovalView>(Number.POSITIVE_INFINITY, readApprovals(ports, filter)).then(
    ({ items }) => {
      for (const view of items) printLine(ports, 'approval.waiting', view, null);
    },
  );
  try {
    await waiting;
    for (let came = await next; came.done !== true; came = await events.next())
      await printEvent(ports, came.value, actionType);
  } finally {
    stop.release();
  }
  const { stopped } = stop;
  return stopped?.kind === 'signal' && stopped.signal !== 'SIGINT' ? exitCodeOf(stopped.signal) : exitCode.ok;
}

async function printEvent(ports: Ports, event: LiveEvent, actionType: string | undefined): Promise<void> {
  const id = approvalIdOf(event);
  if (id === null)
    return ports.terminal.say('some events were missed; al approvals list shows how it stands');
  const view = await ports.api.call(routes.getApproval, { params: { approval_id: id } });
  if (actionType === undefined || view.action_type === actionType) printLine(ports, event.type, view, event);
}

function printLine(
  { terminal, json, style }: Ports,
  type: string,
  view: ApprovalView,
  event: LiveEvent | null,
): void {
  if (json) return terminal.print(safeJson({ type, event: event?.data ?? null, approval: view }));
  const at = clockText(new Date().toISOString()).slice(11, 19);
  const name = type.replace('approval.', '');
  terminal.print(
    `${at}  ${style.bold(name.padEnd(14))}  ${view.id}  ${safeText(view.action_type)} of ${safeText(view.agent.name)}  ${happened(type, view)}`.trimEnd(),
  );
}

/** What is new about the request. */
function happened(type: string, view: ApprovalView): string {
  const last = view.votes.at(-1);
  switch (type) {
    case 'approval.vote_cast':
      return `${last === undefined ? '' : `${voteText(last)}; `}${votesText(view)}`;
    case 'approval.vote_withdrawn':
      return votesText(view);
    case 'approval.waiting':
    case 'approval.requested':
    case 'approval.escalated':
      return `${spanText(view.time_left_seconds * 1_000)} left; needs ${seatsText(view)}`;
    default:
      return view.resolved_at === null ? view.status : endingText(view);
  }
}
