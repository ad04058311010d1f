import { median, table } from './report.mjs';

const ms = (value) => value.toFixed(2);

/** Medians over the repeats, and their ratio to the peer in the same run. */
export function renderApprovals({ when, machine, load, options, targets, measured, releases, polled, pss }) {
  const groups = Map.groupBy(measured, ({ target }) => target);
  const rows = [...groups].map(([target, runs]) => ({
    target,
    wake50: median(runs.map(({ single }) => single.p50)),
    wake99: median(runs.map(({ single }) => single.p99)),
    rate: median(runs.map(({ loops }) => loops.rate)),
    loop50: median(runs.map(({ loops }) => loops.p50)),
    loop99: median(runs.map(({ loops }) => loops.p99)),
    cpu: median(runs.map(({ loops }) => Object.values(loops.cpu).reduce((a, b) => a + b, 0))),
  }));
  const [ours, peer] = rows;
  const ratios = peer
    ? [
        `approve → unblocked: p50 ${ms(ours.wake50 / peer.wake50)}× and p99 ${ms(ours.wake99 / peer.wake99)}× of ${peer.target}'s`,
        `created and resolved at ${options.loops} loops: ${ms(ours.rate / peer.rate)}× of ${peer.target}'s`,
      ]
    : [];
  return [
    `Approvals: from the decision to the agent that goes on, ${when}`,
    `${machine}; load before the bursts ${load.min} to ${load.max} (1 minute)`,
    '',
    ...targets.map(({ name, version, durability }) => `${name} ${version}: ${durability}`),
    '',
    table(
      ['target', 'wake p50 ms', 'wake p99 ms', `per s at ${options.loops}`, 'p50 ms', 'p99 ms', 'CPU µs'],
      rows.map((row) => [
        row.target,
        ms(row.wake50),
        ms(row.wake99),
        String(row.rate),
        ms(row.loop50),
        ms(row.loop99),
        String(row.cpu),
      ]),
    ),
    '',
    ...ratios,
    `Medians of ${options.repeats} interleaved rounds of ${options.singles} single requests and ${options.seconds} s of ${options.loops} loops. "wake": from sending the`,
    'approval until the waiting agent has its answer. A loop creates, waits, approves; ours needs three HTTP requests for that, Restate two.',
    ...(releases.length === 0
      ? []
      : [
          '',
          `Policy change → released, ${releases[0].pending} pending: first ${releases.map(({ first }) => Math.round(first)).join(', ')} ms, last ${releases.map(({ last }) => Math.round(last)).join(', ')} ms.`,
        ]),
    ...(polled === null
      ? []
      : [
          `The published client, unmodified, polls every 5 s: ${polled.count} gates, p50 ${Math.round(polled.p50)} ms, p99 ${Math.round(polled.p99)} ms.`,
        ]),
    '',
    table(
      ['process, after load', 'PSS MB'],
      Object.entries(pss).map(([name, mb]) => [name, mb.toFixed(1)]),
    ),
    '',
  ].join('\n');
}
